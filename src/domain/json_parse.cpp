#include "domain/json_parse.hpp"

#include "base/json_text.hpp"
#include "domain/json.hpp"
#include "domain/json_builder.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele {
namespace {

namespace json = boost::json;

}  // namespace

JsonParse parse_json_value(std::string_view text, json::storage_ptr storage) {
    JsonParse result;
    json::basic_parser<JsonBuilder> parser(JsonBuilder::options());
    parser.handler().stack.reset(storage);

    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && used < text.size()) ec = json::error::extra_data;
    if (!ec)
        result.value = parser.handler().stack.release();
    else
        parser.handler().explain(ec, text.substr(0, std::min(used + 1, text.size())), result);
    return result;
}

std::optional<Json> parse_json(std::string_view text) {
    JsonParse parsed = parse_json_value(text);
    if (!parsed.problem.empty()) return std::nullopt;
    return Json{json::serialize(parsed.value)};
}

std::optional<std::string> json_member_text(std::string_view object, std::string_view member) {
    const JsonParse parsed = parse_json_value(object);
    if (!parsed.problem.empty() || !parsed.value.is_object()) return std::nullopt;
    const json::value* found = parsed.value.get_object().if_contains(member);
    if (found == nullptr) return std::nullopt;
    if (found->is_string()) return std::string(found->get_string());
    return json::serialize(*found);
}

void Problems::add(std::string_view where, std::string problem, std::string type, std::string input_json) {
    std::string full;
    for (const std::string& part : path_) {
        if (!full.empty()) full += '.';
        full += part;
    }
    if (!where.empty()) {
        full += '.';
        full += where;
    }
    // One violation a place: what follows from the first would only confuse.
    for (const Error::Field& field : fields_)
        if (field.where == full) return;
    fields_.push_back({std::move(full), std::move(problem), std::move(type), std::move(input_json)});
}

void Problems::throw_if_any() const {
    if (fields_.empty()) return;
    std::string text;
    for (const Error::Field& field : fields_) {
        if (!text.empty()) text += "; ";
        text += field.where + ": " + field.problem;
    }
    Error error(ErrorCode::invalid_argument, text);
    error.fields = fields_;
    throw error;
}

}  // namespace stele
