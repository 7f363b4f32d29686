#pragma once

#include "domain/template_snapshot.hpp"

namespace stele {

/// Agents as a pattern: a draft that is worked on, and saved versions 1, 2, 3, ... that never change.
struct Template {
    std::string id;  ///< "template-<uuid>": the base_template_id of what is made of it
    std::string organization_id;
    std::string project_id;
    std::string name;  ///< 1-100 characters, unique in the project in any case
    std::optional<std::string> description;
    TemplateSnapshot draft;
    std::int64_t latest = 1;  ///< number of the newest version
    std::optional<std::string> created_by_id;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::int64_t version = 1;  ///< of the row
};

/// How a deployment is moved to a version. Absent: as the version says, which by default is false.
struct MigrationFlags {
    Patch<bool> preserve_core_memories;  ///< values of blocks stay; description, limit and read_only follow
    Patch<bool> preserve_tool_variables;
    Patch<bool> preserve_sources;
    Patch<bool> reconcile_all;  ///< blocks that the version no longer has go from the agents, and are deleted
};
BOOST_DESCRIBE_STRUCT(MigrationFlags, (),
                      (preserve_core_memories, preserve_tool_variables, preserve_sources, reconcile_all))

/// `flags`, and what they leave open as `defaults` have it.
MigrationFlags completed(MigrationFlags flags, const MigrationFlags& defaults);

/// A saved snapshot.
struct TemplateVersion {
    std::string id;  ///< "template-<uuid>": the template_id of what is made of it
    std::string template_id;
    std::int64_t number = 1;
    TemplateSnapshot snapshot;
    MigrationFlags flags;
    std::optional<std::string> message;
    std::optional<std::string> created_by_id;
    Timestamp created_at{};
};

/// What one request made of a version.
struct Deployment {
    std::string id;  ///< "deployment-<uuid>"
    std::string organization_id;
    std::string project_id;
    std::string base_template_id;
    std::string template_id;
    TextMap memory_variables;
    std::optional<std::string> created_by_id;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::int64_t version = 1;
};

/// A migration that is still to be carried out: what a deployment's row keeps.
struct PlannedMigration {
    std::string template_id;  ///< of the version
    MigrationFlags flags;
};
BOOST_DESCRIBE_STRUCT(PlannedMigration, (), (template_id, flags))

/// "name", "name:3", "name:latest", "name:current" (older: "name:dev").
struct TemplateReference {
    std::string name;                    ///< or an id
    bool current = false;                ///< the draft
    std::optional<std::int64_t> number;  ///< absent: the latest
};

/// Throws Error{invalid_argument} for a version that is none.
TemplateReference parse_template_reference(const std::string& text);

/// The name alone: "name" and "name:whatever" alike.
std::string template_name_of(const std::string& text);

/// Throws Error{invalid_argument} for a name that no template may have.
void demand_template_name(const std::string& name);

/// What decides whether two names are the same.
std::string template_name_key(const std::string& name);

}  // namespace stele
