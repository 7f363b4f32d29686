#include "domain/template_variables.hpp"

#include <algorithm>

namespace stele {
namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool goes_on(char c) { return begins_name(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

// What stands at the beginning of `text`: a variable and how long it is with its braces. Nothing: no variable.
struct Placeholder {
    std::string_view name;
    std::size_t length = 0;
};

Placeholder placeholder_at(std::string_view text) {
    if (!text.starts_with("{{")) return {};
    std::size_t at = 2;
    const auto skip_spaces = [&] {
        while (at < text.size() && text[at] == ' ') ++at;
    };
    skip_spaces();
    const std::size_t begin = at;
    if (at == text.size() || !begins_name(text[at])) return {};
    while (at < text.size() && goes_on(text[at])) ++at;
    const std::string_view name = text.substr(begin, at - begin);
    skip_spaces();
    if (!text.substr(at).starts_with("}}")) return {};
    return {name, at + 2};
}

}  // namespace

std::vector<std::string> variables_in(std::string_view text) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with("\\{{")) {
            at += 3;
            continue;
        }
        const Placeholder found = placeholder_at(text.substr(at));
        if (found.length > 0 && std::find(names.begin(), names.end(), found.name) == names.end())
            names.emplace_back(found.name);
        at += std::max<std::size_t>(found.length, 1);
    }
    return names;
}

std::string with_values(std::string_view text, const TextMap& values) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with("\\{{")) {
            out += "{{";
            at += 3;
            continue;
        }
        const Placeholder found = placeholder_at(text.substr(at));
        const std::string* value = found.length > 0 ? value_of(values, found.name) : nullptr;
        if (value != nullptr) {
            out += *value;
            at += found.length;
        } else {
            out += text[at++];
        }
    }
    return out;
}

const std::string* value_of(const TextMap& values, std::string_view key) {
    const auto found = std::find_if(values.begin(), values.end(), [&](const auto& each) { return each.first == key; });
    return found == values.end() ? nullptr : &found->second;
}

TextMap merged(TextMap values, const TextMap& over) {
    for (const auto& [key, value] : over) {
        const auto known =
            std::find_if(values.begin(), values.end(), [&key = key](const auto& each) { return each.first == key; });
        if (known == values.end())
            values.emplace_back(key, value);
        else
            known->second = value;
    }
    return values;
}

}  // namespace stele
