#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>

namespace stele {

BOOST_DEFINE_ENUM_CLASS(IdentityType, org, user, other)
BOOST_DEFINE_ENUM_CLASS(PropertyType, string, number, boolean, json)

std::string_view to_string(IdentityType type);
std::optional<IdentityType> parse_identity_type(std::string_view word);

/// Something known of an identity. `value` has the type that `type` names; a text that reads as a number or as true or
/// false is taken for one.
struct IdentityProperty {
    std::string key;
    Json value;
    PropertyType type = PropertyType::string;

    bool operator==(const IdentityProperty&) const = default;
};
BOOST_DESCRIBE_STRUCT(IdentityProperty, (), (key, value, type))
void check(const IdentityProperty& property, Problems& problems);
constexpr std::array<std::string_view, 3> required_members(const IdentityProperty*) { return {"key", "value", "type"}; }

/// A list of properties, or an object {key: value} whose types follow from the values. Each key once: the last one
/// counts.
struct IdentityProperties {
    std::vector<IdentityProperty> list;

    bool operator==(const IdentityProperties&) const = default;
};
void read_json(const boost::json::value& from, IdentityProperties& into, Problems& problems);
void write_json(const IdentityProperties& from, std::string& out);
Schema json_schema(const IdentityProperties*);

/// Somebody on whose behalf messages are sent: a person, an organisation or whatever else, known by a key of the
/// client's own.
struct Identity {
    std::string id;              ///< "identity-<uuid>"
    std::string identifier_key;  ///< unique within its project; opaque, 1-512 characters
    std::string name;
    IdentityType identity_type = IdentityType::user;
    std::optional<std::string> project_id;
    std::vector<std::string> agent_ids;  ///< linked ones, those linked first; at most 1,000 are told
    std::vector<std::string> block_ids;  ///< the same
    std::string organization_id;
    IdentityProperties properties;
    Timestamp created_at{};  ///< not described, like the next two
    Timestamp updated_at{};
    std::int64_t version = 1;  ///< of the row
};
BOOST_DESCRIBE_STRUCT(Identity, (),
                      (id, identifier_key, name, identity_type, project_id, agent_ids, block_ids, organization_id,
                       properties))

/// Body of POST /v1/identities and of PUT, which replaces what the key names already: lists that are sent replace, the
/// others stay.
struct IdentityCreate {
    std::string identifier_key;
    std::string name;
    IdentityType identity_type = IdentityType::user;
    Patch<std::string> project_id;
    Patch<std::vector<std::string>> agent_ids;
    Patch<std::vector<std::string>> block_ids;
    Patch<IdentityProperties> properties;
    Patch<Json> core_block;  ///< text or any JSON: value of a block Persona_<identifier_key> that is made and linked
};
BOOST_DESCRIBE_STRUCT(IdentityCreate, (),
                      (identifier_key, name, identity_type, project_id, agent_ids, block_ids, properties, core_block))
void check(const IdentityCreate& request, Problems& problems);
constexpr std::array<std::string_view, 3> required_members(const IdentityCreate*) {
    return {"identifier_key", "name", "identity_type"};
}

/// Body of PATCH /v1/identities/{identity_id}: properties are merged by key, agents and blocks added to those linked.
struct IdentityUpdate {
    Patch<std::string> identifier_key;
    Patch<std::string> name;
    Patch<IdentityType> identity_type;
    Patch<std::string> project_id;
    Patch<std::vector<std::string>> agent_ids;
    Patch<std::vector<std::string>> block_ids;
    Patch<IdentityProperties> properties;
};
BOOST_DESCRIBE_STRUCT(IdentityUpdate, (),
                      (identifier_key, name, identity_type, project_id, agent_ids, block_ids, properties))
void check(const IdentityUpdate& request, Problems& problems);

/// A new identity as `request` wants it, made now, without its links.
Identity make_identity(const IdentityCreate& request, const std::string& organization_id);

/// Applies the plain fields and the properties; `replace`: the properties are replaced whole. False if nothing changed.
bool apply(const IdentityUpdate& update, bool replace, Identity& identity);

/// Sets `properties` in place of the identity's own. False if they are the same.
bool replace_properties(IdentityProperties properties, Identity& identity);

/// What the operator has decided about identities.
struct IdentityRules {
    bool blocks = true;             ///< a run sees the blocks of its identity, attached or not
    bool isolation = true;          ///< and no block Persona_... that is linked to others alone
    bool auto_link_persona = true;  ///< links follow from labels, and from what is attached for a message
    bool in_prompt = true;          ///< the model reads who has sent a message
    bool create_unknown = false;    ///< a request that names nobody known makes an identity with that key
};

/// What the model reads before the words that this identity has sent: "[Grace (user_123)] ". One line, whatever the
/// name holds.
std::string sender_mark(const std::string& name, const std::string& identifier_key);

}  // namespace stele
