#include "domain/work_folder.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t name_characters_max = 255;
constexpr std::size_t part_bytes_max = 255, path_bytes_max = 2'048;

}  // namespace

void check(const SandboxCreate& request, Problems& problems) {
    if (request.connectionName.has_value() && code_points(*request.connectionName) > name_characters_max)
        problems.add("connectionName", "must have at most 255 characters", "string_too_long");
}

std::optional<std::string> path_in_folder(std::string_view path) {
    std::string made;
    for (std::string_view rest = path; !rest.empty();) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (part.empty() || part == ".") continue;
        const bool control = std::any_of(part.begin(), part.end(),
                                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
        if (part == ".." || control || part.size() > part_bytes_max) return std::nullopt;
        made += (made.empty() ? "" : "/") + std::string(part);
    }
    if (made.empty() || made.size() > path_bytes_max) return std::nullopt;
    return made;
}

STELE_JSON_WRITTEN(SandboxList)
STELE_JSON_READ(SandboxCreate)
STELE_JSON_READ(SandboxStart)
STELE_JSON_WRITTEN(SandboxMade)
STELE_JSON_WRITTEN(SandboxFiles)

}  // namespace stele
