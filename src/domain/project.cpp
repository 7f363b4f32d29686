#include "domain/project.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t name_min = 3, name_max = 50;

}  // namespace

void check(const ProjectCreate& request, Problems& problems) {
    const std::size_t length = code_points(request.name);
    if (length < name_min || length > name_max)
        problems.add("name", "must have 3 to 50 characters", length < name_min ? "string_too_short" : "string_too_long",
                     json_string(first_code_points(request.name, 64)));
}

std::string slug_of(std::string_view name) {
    std::string slug;
    for (const char c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool kept = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (kept)
            slug += upper ? static_cast<char>(c - 'A' + 'a') : c;
        else if ((c == ' ' || c == '-' || c == '_') && !slug.empty() && slug.back() != '-')
            slug += '-';
    }
    slug.resize(std::min(slug.size(), name_max));
    while (!slug.empty() && slug.back() == '-') slug.pop_back();
    return slug;
}

std::string free_slug(const std::string& wanted, const std::vector<std::string>& taken) {
    const auto is_taken = [&](const std::string& slug) {
        return std::find(taken.begin(), taken.end(), slug) != taken.end();
    };
    std::string slug = wanted;
    for (int suffix = 2; is_taken(slug); ++suffix) slug = wanted + "-" + std::to_string(suffix);
    return slug;
}

STELE_JSON_WRITTEN(Project)
STELE_JSON_READ(ProjectCreate)
STELE_JSON_WRITTEN(Projects)

}  // namespace stele
