#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace stele {

/// A parsed text, or why it is refused. `type` is the API's word ("json_invalid", "duplicate_key", ...).
struct JsonParse {
    boost::json::value value;
    std::string problem;  ///< empty: parsed
    std::string type;
    std::string where;  ///< the repeated key, if that is the problem
};

/// Parses one JSON text (RFC 8259) strictly: UTF-8, nesting at most 64, no repeated keys, no number beyond 64 bits
/// (integers) or the range of double. `storage` owns the value's memory and must outlive it.
JsonParse parse_json_value(std::string_view text, boost::json::storage_ptr storage = {});

}  // namespace stele
