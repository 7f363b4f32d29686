#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// The project that every organisation has: what names no project belongs to it.
inline constexpr char default_project_id[] = "project-00000000-0000-4000-8000-000000000000";
inline constexpr char default_project_slug[] = "default-project";

/// A namespace within an organisation.
struct Project {
    std::string name;  ///< 3-50 characters; need not be unique
    std::string slug;  ///< unique in the organisation; never changes
    std::string id;    ///< "project-<uuid>"
};
BOOST_DESCRIBE_STRUCT(Project, (), (name, slug, id))

/// Body of POST /v1/projects.
struct ProjectCreate {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(ProjectCreate, (), (name))
void check(const ProjectCreate& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const ProjectCreate*) { return {"name"}; }

/// Answer of GET /v1/projects.
struct Projects {
    std::vector<Project> projects;
    bool hasNextPage = false;
};
BOOST_DESCRIBE_STRUCT(Projects, (), (projects, hasNextPage))

/// What a slug for `name` begins with: lower-case ASCII letters and digits, one "-" for spaces, "_" and "-". Empty
/// if nothing is left. At most 50 characters.
std::string slug_of(std::string_view name);

/// `wanted`, or with the first of the suffixes -2, -3, ... that makes it none of `taken`.
std::string free_slug(const std::string& wanted, const std::vector<std::string>& taken);

/// The project that an object with this `project_id` belongs to.
inline std::string project_of(const std::optional<std::string>& project_id) {
    return project_id.value_or(default_project_id);
}

}  // namespace stele
