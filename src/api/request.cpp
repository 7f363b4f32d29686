#include "api/request.hpp"

#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <charconv>

namespace stele::api {
namespace {

std::string lowered(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

[[noreturn]] void refuse(std::string_view name, const std::string& problem, const char* type,
                         const std::string& value) {
    Error error = invalid_field("query." + std::string(name), problem);
    error.fields.front().type = type;
    error.fields.front().input_json = json_string(first_code_points(value, 64));
    throw error;
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failure == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace

Query::Query(std::string_view text) {
    auto pairs = net::parse_query(text);
    if (!pairs) throw invalid_field("query", "has a broken percent escape");
    for (auto& [name, value] : *pairs) {
        if (!is_utf8(name) || !is_utf8(value)) throw Error(ErrorCode::invalid_argument, "Invalid UTF-8 in the query");
        if (value.find('\0') != std::string::npos) throw invalid_field("query." + name, "must not hold U+0000");
        if (name.ends_with("[]")) name.resize(name.size() - 2);
    }
    values_ = std::move(*pairs);
}

bool Query::has(std::string_view name) const {
    return std::any_of(values_.begin(), values_.end(), [&](const auto& pair) { return pair.first == name; });
}

std::optional<std::string> Query::text(std::string_view name) const {
    for (const auto& [key, value] : values_)
        if (key == name && !value.empty()) return value;
    return std::nullopt;
}

std::vector<std::string> Query::list(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : values_)
        if (key == name && !value.empty()) values.push_back(value);
    return values;
}

std::vector<std::pair<std::string, std::string>> Query::nested(std::string_view name) const {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& [key, value] : values_)
        if (key.starts_with(name) && key.size() > name.size() && key[name.size()] == '[')
            found.emplace_back(key.substr(name.size() + 1), value);
    return found;
}

std::optional<bool> Query::flag(std::string_view name) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const std::string word = lowered(*value);
    for (const char* yes : {"true", "1", "yes", "on", "t", "y"})
        if (word == yes) return true;
    for (const char* no : {"false", "0", "no", "off", "f", "n"})
        if (word == no) return false;
    refuse(name, "must be true or false", "bool_parsing", *value);
}

std::optional<std::int64_t> Query::integer(std::string_view name) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const auto number = parse_integer(*value);
    if (!number) refuse(name, "must be an integer", "int_parsing", *value);
    return number;
}

std::vector<std::int64_t> Query::integers(std::string_view name) const {
    std::vector<std::int64_t> numbers;
    for (const std::string& value : list(name)) {
        const auto number = parse_integer(value);
        if (!number) refuse(name, "must hold integers", "int_parsing", value);
        numbers.push_back(*number);
    }
    return numbers;
}

std::optional<Timestamp> Query::time(std::string_view name, bool end) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const auto time = parse_iso8601(*value);
    if (!time) refuse(name, "must be an ISO 8601 date or time", "datetime_parsing", *value);
    if (end && value->size() <= 10) return *time + std::chrono::hours(24);
    return time;
}

const std::string& Request::path(std::string_view name) const {
    for (const auto& [key, value] : path_values)
        if (key == name) return value;
    throw Error(ErrorCode::internal, "The route has no parameter " + std::string(name));
}

const std::string& Request::path_id(std::string_view name, std::string_view prefix) const {
    const std::string& id = path(name);
    if (is_id(id, prefix)) return id;
    Error error =
        invalid_field("path." + std::string(name), "should match pattern '" + std::string(prefix) + "-{uuid4}'");
    error.fields.front().type = "string_pattern_mismatch";
    error.fields.front().input_json = json_string(first_code_points(to_valid_utf8(id), 100));
    error.members.emplace_back("examples", std::string(prefix) + "-123e4567-e89b-42d3-8456-426614174000");
    throw error;
}

storage::Page page_of(const Query& query, const ListDefaults& defaults) {
    storage::Page page;
    page.before = query.text("before");
    page.after = query.text("after");
    page.limit = query.integer("limit").value_or(defaults.limit);
    if (page.limit < 1) refuse("limit", "must be at least 1", "greater_than_equal", std::to_string(page.limit));
    if (page.limit > defaults.limit_max) {
        if (defaults.refuse_above_max)
            refuse("limit", "must be at most " + std::to_string(defaults.limit_max), "less_than_equal",
                   std::to_string(page.limit));
        page.limit = defaults.limit_max;
    }
    page.ascending = defaults.ascending;
    if (const auto order = query.text("order")) {
        if (*order != "asc" && *order != "desc") refuse("order", "must be asc or desc", "literal_error", *order);
        page.ascending = *order == "asc";
    } else if (const auto ascending = query.flag("ascending")) {
        page.ascending = *ascending;
    }
    auto order_by = query.text("order_by");
    if (!order_by) order_by = query.text("sort_by");
    if (order_by) {
        if (std::find(defaults.order_by.begin(), defaults.order_by.end(), *order_by) == defaults.order_by.end())
            refuse("order_by", "is no order that this list knows", "literal_error", *order_by);
        page.order_by = *order_by;
    } else {
        page.order_by = defaults.order_by.front();
    }
    return page;
}

storage::Page in_time_order(storage::Page page) {
    if (page.before && page.after) return page;
    if (!page.ascending && page.after) std::swap(page.before, page.after);
    if (page.before) page.ascending = false;
    return page;
}

bool is_generation_2(const net::Headers& headers) {
    if (headers.find("X-Stainless-Package-Version") != nullptr) return true;
    const std::string* agent = headers.find("User-Agent");
    if (agent == nullptr) return true;
    for (const std::string_view name : {"letta-client/", "@letta-ai/letta-client/"}) {
        if (!agent->starts_with(name) || agent->size() == name.size()) continue;
        const char major = (*agent)[name.size()];
        return major >= '1' && major <= '9';
    }
    return false;
}

}  // namespace stele::api
