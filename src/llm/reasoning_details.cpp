#include "llm/reasoning_details.hpp"

#include <boost/json.hpp>

namespace stele::llm {
namespace {

namespace json = boost::json;

constexpr std::string_view word_members[] = {"text", "summary"};

bool is_word_member(std::string_view name) { return name == word_members[0] || name == word_members[1]; }

const json::value* member(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

bool same(const json::object& a, const json::object& b, std::string_view name) {
    const auto *one = member(a, name), *other = member(b, name);
    return one == nullptr || other == nullptr || *one == *other;
}

}  // namespace

// A piece goes on with what came last if it is of the same kind and place. What is encrypted comes whole.
json::object* ReasoningDetails::begun(const json::object& piece) {
    if (details_.empty() || member(piece, "data") != nullptr) return nullptr;
    json::object& last = details_.back().get_object();
    const bool goes_on = member(last, "data") == nullptr && same(last, piece, "type") && same(last, piece, "index") &&
                         same(last, piece, "id");
    return goes_on ? &last : nullptr;
}

void ReasoningDetails::add(const json::array& pieces) {
    for (const json::value& each : pieces) {
        if (!each.is_object()) continue;
        const json::object& piece = each.get_object();
        json::object* open = begun(piece);
        if (open == nullptr) {
            details_.push_back(piece);
            continue;
        }
        for (const auto& [name, value] : piece) {
            if (value.is_null()) continue;
            json::value& held = (*open)[name];
            if (is_word_member(name) && held.is_string() && value.is_string())
                held.get_string() += value.get_string();
            else
                held = value;
        }
    }
}

std::string ReasoningDetails::words(const json::array& pieces) {
    std::string text;
    for (const json::value& each : pieces) {
        if (!each.is_object()) continue;
        for (const std::string_view name : word_members)
            if (const auto* words = member(each.get_object(), name); words != nullptr && words->is_string())
                text += std::string_view(words->get_string());
    }
    return text;
}

bool ReasoningDetails::is_list(std::string_view text) {
    if (!text.starts_with('[')) return false;
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()), failure);
    return !failure && parsed.is_array();
}

std::string ReasoningDetails::json() const { return details_.empty() ? std::string() : json::serialize(details_); }

}  // namespace stele::llm
