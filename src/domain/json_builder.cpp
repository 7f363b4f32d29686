#include "domain/json_builder.hpp"

#include <algorithm>
#include <cmath>

namespace stele {
namespace {

namespace json = boost::json;

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

bool JsonBuilder::on_object_end(std::size_t count, Failure& ec) {
    const auto begin = keys_.end() - static_cast<std::ptrdiff_t>(count);
    if (count > 1) {
        std::sort(begin, keys_.end());
        if (const auto twin = std::adjacent_find(begin, keys_.end()); twin != keys_.end()) {
            repeated_ = *twin;
            return refuse(Refusal::duplicate_key, ec);
        }
    }
    keys_.erase(begin, keys_.end());
    stack.push_object(count);
    return true;
}

bool JsonBuilder::on_double(double number, Text part, Failure& ec) {
    number_.append(part);
    const bool integer = number_.find_first_of(".eE") == std::string::npos;
    number_.clear();
    if (integer || !std::isfinite(number)) return refuse(Refusal::number_range, ec);
    stack.push_double(number);
    return true;
}

bool JsonBuilder::refuse(Refusal why, Failure& ec) {
    refusal_ = why;
    ec = json::error::exception;  // any error stops the parser; `refusal_` tells which
    return false;
}

void JsonBuilder::explain(Failure ec, std::string_view read, JsonParse& into) const {
    into.type = "json_invalid";
    switch (refusal_) {
        case Refusal::none:
            into.problem = describe(ec);
            if (is_lone_surrogate(ec, read)) {
                into.type = "invalid_utf8";
                into.problem = "Invalid UTF-8 in the body: a lone surrogate escape";
            }
            break;
        case Refusal::duplicate_key:
            into.type = "duplicate_key";
            into.where = repeated_;
            into.problem = "the key is there twice in one object";
            break;
        case Refusal::number_range:
            into.type = "number_out_of_range";
            into.problem = "a number does not fit 64 bits";
            break;
    }
}

}  // namespace stele
