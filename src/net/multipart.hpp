#pragma once

#include "base/byte_source.hpp"

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

/// One part of a body that does not lie in memory: where its content is, and the content itself of a plain field.
struct StoredFormPart {
    std::string name;
    std::string file_name;
    std::uint64_t offset = 0, size = 0;
    std::string content;  ///< empty for a file, and for what is larger than 1 MiB
};

/// The same for a body that is read piece by piece. Blocks for the disk.
std::vector<StoredFormPart> parse_form(std::string_view content_type, const ByteSource& body);

}  // namespace stele::net
