#include "domain/template.hpp"

#include "domain/hosted_error.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>
#include <charconv>

namespace stele {
namespace {

constexpr std::size_t name_max = 100;

bool may_stand_in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == ' ';
}

}  // namespace

MigrationFlags completed(MigrationFlags flags, const MigrationFlags& defaults) {
    const auto fill = [](Patch<bool>& flag, const Patch<bool>& otherwise) {
        if (!flag.has_value()) flag = otherwise;
    };
    fill(flags.preserve_core_memories, defaults.preserve_core_memories);
    fill(flags.preserve_tool_variables, defaults.preserve_tool_variables);
    fill(flags.preserve_sources, defaults.preserve_sources);
    fill(flags.reconcile_all, defaults.reconcile_all);
    return flags;
}

std::string template_name_of(const std::string& text) { return text.substr(0, text.find(':')); }

TemplateReference parse_template_reference(const std::string& text) {
    TemplateReference found;
    found.name = template_name_of(text);
    if (found.name.size() == text.size()) return found;
    const std::string_view version = std::string_view(text).substr(found.name.size() + 1);
    if (version == "latest") return found;
    if (version == "current" || version == "dev") {
        found.current = true;
        return found;
    }
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(version.data(), version.data() + version.size(), number);
    if (failure != std::errc() || end != version.data() + version.size() || number < 1)
        throw hosted_error(ErrorCode::invalid_argument, "A template's version is a number, latest or current; '" +
                                                            std::string(first_code_points(version, 32)) + "' is none");
    found.number = number;
    return found;
}

void demand_template_name(const std::string& name) {
    // Words that paths have behind a template's id.
    constexpr std::string_view reserved[] = {"agents",   "create", "current",  "description", "fork",
                                             "migrate",  "rename", "rollback", "save",        "save-version",
                                             "snapshot", "update", "versions"};
    if (std::find(std::begin(reserved), std::end(reserved), name) != std::end(reserved))
        throw hosted_error(ErrorCode::invalid_argument, "A template can't be named '" + name + "'",
                           "invalidTemplateName");
    if (name.empty() || name.size() > name_max || !std::all_of(name.begin(), name.end(), may_stand_in_name) ||
        name.front() == ' ' || name.back() == ' ')
        throw hosted_error(ErrorCode::invalid_argument,
                           "A template's name has 1 to 100 characters: letters, digits, '_', '-' and spaces within",
                           "invalidTemplateName");
}

std::string template_name_key(const std::string& name) {
    std::string key = name;
    for (char& c : key)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return key;
}

STELE_JSON(MigrationFlags)
STELE_JSON(PlannedMigration)

}  // namespace stele
