#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::net {

/// One part of a multipart/form-data body (RFC 7578). Refers to the body.
struct FormPart {
    std::string name;
    std::string file_name;  ///< empty: a plain field
    std::string content_type;
    std::string_view content;
};

/// The parts of `body`, in order. `content_type`: the header's value, which names the boundary (RFC 2046, 5.1). Throws
/// Error{invalid_argument} (status 422) for a body that is no form or is cut.
std::vector<FormPart> parse_form(std::string_view content_type, std::string_view body);

}  // namespace stele::net
