#include "domain/text_list.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "domain/json_parse.hpp"

namespace stele {

std::string encode_text_list(const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& text : list) {
        if (out.size() > 1) out += ',';
        append_json_string(out, text);
    }
    return out + "]";
}

std::vector<std::string> decode_text_list(std::string_view text) {
    const JsonParse parsed = parse_json_value(text);
    STELE_ASSERT(parsed.problem.empty() && parsed.value.is_array());
    std::vector<std::string> list;
    for (const auto& element : parsed.value.get_array()) list.emplace_back(element.as_string());
    return list;
}

}  // namespace stele
