#include "domain/json_parse.hpp"

#include "base/json_text.hpp"
#include "domain/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <cmath>

namespace stele {
namespace {

namespace json = boost::json;

enum class Refusal { none = 0, duplicate_key = 1, number_range = 2 };

// Builds the value as json::parser would, and keeps the keys of the open objects to see repetitions, which the
// library's own parser resolves silently.
class Handler {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t count, json::error_code& ec) {
        const auto begin = keys_.end() - static_cast<std::ptrdiff_t>(count);
        if (count > 1) {
            std::sort(begin, keys_.end());
            if (const auto twin = std::adjacent_find(begin, keys_.end()); twin != keys_.end()) {
                repeated = *twin;
                return refuse(Refusal::duplicate_key, ec);
            }
        }
        keys_.erase(begin, keys_.end());
        stack.push_object(count);
        return true;
    }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t count, json::error_code&) {
        stack.push_array(count);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        key_.append(part);
        stack.push_chars(part);
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code&) {
        key_.append(part);
        keys_.push_back(std::move(key_));
        key_.clear();
        stack.push_key(part);
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        stack.push_chars(part);
        return true;
    }
    bool on_string(json::string_view part, std::size_t, json::error_code&) {
        stack.push_string(part);
        return true;
    }
    bool on_number_part(json::string_view part, json::error_code&) {
        number_.append(part);
        return true;
    }
    bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
        number_.clear();
        stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
        number_.clear();
        stack.push_uint64(number);
        return true;
    }
    bool on_double(double number, json::string_view part, json::error_code& ec) {
        number_.append(part);
        const bool integer = number_.find_first_of(".eE") == std::string::npos;
        number_.clear();
        if (integer || !std::isfinite(number)) return refuse(Refusal::number_range, ec);
        stack.push_double(number);
        return true;
    }
    bool on_bool(bool flag, json::error_code&) {
        stack.push_bool(flag);
        return true;
    }
    bool on_null(json::error_code&) {
        stack.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

    json::value_stack stack;
    Refusal refusal = Refusal::none;
    std::string repeated;

private:
    bool refuse(Refusal why, json::error_code& ec) {
        refusal = why;
        ec = json::error::exception;  // any error stops the parser; `refusal` tells which
        return false;
    }

    std::string key_;
    std::string number_;
    std::vector<std::string> keys_;
};

std::string describe(json::error_code ec) {
    if (ec == json::error::too_deep) return "JSON is nested deeper than 64 levels";
    if (ec == json::error::incomplete) return "JSON ends too early";
    return "JSON is malformed: " + ec.message();
}

// `read`: the text up to where the parser stopped. For an escaped leading surrogate without its other half the library
// reports a mere syntax error, at the character that follows.
bool is_lone_surrogate(json::error_code ec, std::string_view read) {
    if (ec == json::error::illegal_leading_surrogate || ec == json::error::illegal_trailing_surrogate ||
        ec == json::error::expected_utf16_escape)
        return true;
    constexpr std::size_t escape_size = 6;  // \ud83d
    const auto is_half = [&](std::size_t at, std::string_view kinds) {
        return read.size() >= at + 4 && read[at] == '\\' && read[at + 1] == 'u' &&
               (read[at + 2] == 'd' || read[at + 2] == 'D') && kinds.find(read[at + 3]) != std::string_view::npos;
    };
    const std::size_t begin = read.size() - std::min(read.size(), 2 * escape_size + 1);
    for (std::size_t at = begin; at < read.size(); ++at) {
        std::size_t slashes = 0;
        while (slashes < at && read[at - 1 - slashes] == '\\') ++slashes;
        if (slashes % 2 == 0 && is_half(at, "89abAB") && !is_half(at + escape_size, "cdefCDEF")) return true;
    }
    return false;
}

}  // namespace

JsonParse parse_json_value(std::string_view text, json::storage_ptr storage) {
    JsonParse result;
    json::parse_options options;
    options.max_depth = 64;
    json::basic_parser<Handler> parser(options);
    parser.handler().stack.reset(storage);

    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && used < text.size()) ec = json::error::extra_data;
    if (!ec) {
        result.value = parser.handler().stack.release();
        return result;
    }
    result.type = "json_invalid";
    switch (parser.handler().refusal) {
        case Refusal::none:
            result.problem = describe(ec);
            if (is_lone_surrogate(ec, text.substr(0, std::min(used + 1, text.size())))) {
                result.type = "invalid_utf8";
                result.problem = "Invalid UTF-8 in the body: a lone surrogate escape";
            }
            break;
        case Refusal::duplicate_key:
            result.type = "duplicate_key";
            result.where = parser.handler().repeated;
            result.problem = "the key is there twice in one object";
            break;
        case Refusal::number_range:
            result.type = "number_out_of_range";
            result.problem = "a number does not fit 64 bits";
            break;
    }
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
