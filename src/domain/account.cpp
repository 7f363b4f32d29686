#include "domain/account.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::size_t name_bytes_max = 1'000;

void check_name(const std::string& name, Problems& problems) {
    if (name.empty() || name.size() > name_bytes_max)
        problems.add("name", "must have 1 to 1000 bytes", name.empty() ? "string_too_short" : "string_too_long");
}

void check_id(std::string_view member, const std::string& id, std::string_view prefix, Problems& problems) {
    if (!is_id(id, prefix))
        problems.add(member, "must match '" + std::string(prefix) + "-{uuid4}'", "string_pattern_mismatch");
}

}  // namespace

void check(const OrganizationCreate& request, Problems& problems) {
    if (request.name) check_name(*request.name, problems);
}

void check(const OrganizationUpdate& request, Problems& problems) {
    if (request.name.has_value()) check_name(*request.name, problems);
}

void check(const UserCreate& request, Problems& problems) {
    check_name(request.name, problems);
    check_id("organization_id", request.organization_id, "org", problems);
}

void check(const UserUpdate& request, Problems& problems) {
    check_id("id", request.id, "user", problems);
    if (request.name.has_value()) check_name(*request.name, problems);
    if (request.organization_id.has_value()) check_id("organization_id", *request.organization_id, "org", problems);
}

std::string new_organization_name() { return "organization-" + random_hex(4); }

STELE_JSON_WRITTEN(Organization)
STELE_JSON_READ(OrganizationCreate)
STELE_JSON_READ(OrganizationUpdate)
STELE_JSON_WRITTEN(User)
STELE_JSON_READ(UserCreate)
STELE_JSON_READ(UserUpdate)
STELE_JSON_READ(AuthRequest)
STELE_JSON_WRITTEN(AuthResponse)

}  // namespace stele
