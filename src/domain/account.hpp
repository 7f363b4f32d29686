#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// Whose agents, blocks, tools and so on belong together. Organisations never see each other.
struct Organization {
    std::string id;  ///< "org-<uuid>"
    std::string name;
    Timestamp created_at{};
    bool privileged_tools = false;  ///< kept for clients; every organisation's tools run behind the same walls
};
BOOST_DESCRIBE_STRUCT(Organization, (), (id, name, created_at, privileged_tools))

/// Body of POST /v1/admin/orgs. Without a name it gets one.
struct OrganizationCreate {
    std::optional<std::string> name;
    bool privileged_tools = false;
};
BOOST_DESCRIBE_STRUCT(OrganizationCreate, (), (name, privileged_tools))
void check(const OrganizationCreate& request, Problems& problems);

/// Body of PATCH /v1/admin/orgs.
struct OrganizationUpdate {
    Patch<std::string> name;
    Patch<bool> privileged_tools;
};
BOOST_DESCRIBE_STRUCT(OrganizationUpdate, (), (name, privileged_tools))
void check(const OrganizationUpdate& request, Problems& problems);

/// Whom a request speaks for.
struct User {
    std::string id;  ///< "user-<uuid>"
    std::string organization_id;
    std::string name;
    Timestamp created_at{};
    Timestamp updated_at{};
    bool is_deleted = false;  ///< only in the answer that tells of it
};
BOOST_DESCRIBE_STRUCT(User, (), (id, organization_id, name, created_at, updated_at, is_deleted))

/// Body of POST /v1/admin/users.
struct UserCreate {
    std::string name;
    std::string organization_id;
};
BOOST_DESCRIBE_STRUCT(UserCreate, (), (name, organization_id))
constexpr std::array<std::string_view, 2> required_members(const UserCreate*) { return {"name", "organization_id"}; }
void check(const UserCreate& request, Problems& problems);

/// Body of PUT /v1/admin/users.
struct UserUpdate {
    std::string id;
    Patch<std::string> name;
    Patch<std::string> organization_id;
};
BOOST_DESCRIBE_STRUCT(UserUpdate, (), (id, name, organization_id))
constexpr std::array<std::string_view, 1> required_members(const UserUpdate*) { return {"id"}; }
void check(const UserUpdate& request, Problems& problems);

/// Body and answer of POST /v1/auth. `uuid`: that of the user's id.
struct AuthRequest {
    std::optional<std::string> password;
};
BOOST_DESCRIBE_STRUCT(AuthRequest, (), (password))

struct AuthResponse {
    std::string uuid;
    bool is_admin = true;
};
BOOST_DESCRIBE_STRUCT(AuthResponse, (), (uuid, is_admin))

/// A name for an organisation that was given none.
std::string new_organization_name();

}  // namespace stele
