#pragma once

#include "domain/audit.hpp"
#include "domain/json.hpp"
#include "domain/tool.hpp"

#include <array>

namespace stele {

/// How an organisation's tools are run in one kind of sandbox, and what they find there.
struct SandboxConfig : Audit {
    std::string id;              ///< "sandbox-<uuid>"
    std::string type = "local";  ///< local, e2b or modal
    std::string organization_id;
    Json config{"{}"};         ///< LocalSandboxConfig, or what the others know
    std::int64_t version = 1;  ///< not described
};
BOOST_DESCRIBE_STRUCT(SandboxConfig, (Audit), (id, type, organization_id, config))

/// Settings of the sandbox on this machine. Directory and name of an environment are accepted for old clients: every
/// call has a private directory, and environments are made from the requirements.
struct LocalSandboxConfig {
    std::optional<std::string> sandbox_dir;
    bool use_venv = false;
    std::string venv_name = "venv";
    std::vector<Requirement> pip_requirements;
};
BOOST_DESCRIBE_STRUCT(LocalSandboxConfig, (), (sandbox_dir, use_venv, venv_name, pip_requirements))
void check(const LocalSandboxConfig& config, Problems& problems);

/// Body of POST and PATCH /v1/sandbox-config. The type shows in the members of `config`.
struct SandboxConfigCreate {
    Json config;
};
BOOST_DESCRIBE_STRUCT(SandboxConfigCreate, (), (config))
void check(const SandboxConfigCreate& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const SandboxConfigCreate*) { return {"config"}; }

struct SandboxConfigUpdate {
    Patch<Json> config;
};
BOOST_DESCRIBE_STRUCT(SandboxConfigUpdate, (), (config))
void check(const SandboxConfigUpdate& request, Problems& problems);

/// A variable that every tool of the organisation sees.
struct SandboxEnvironmentVariable : Audit {
    std::string id;  ///< "sandbox-env-<uuid>"
    std::string key;
    std::string value;
    std::optional<std::string> description;
    std::string sandbox_config_id;
    std::string organization_id;
};
BOOST_DESCRIBE_STRUCT(SandboxEnvironmentVariable, (Audit),
                      (id, key, value, description, sandbox_config_id, organization_id))

struct SandboxEnvironmentVariableCreate {
    std::string key;
    std::string value;
    std::optional<std::string> description;
};
BOOST_DESCRIBE_STRUCT(SandboxEnvironmentVariableCreate, (), (key, value, description))
void check(const SandboxEnvironmentVariableCreate& request, Problems& problems);
constexpr std::array<std::string_view, 2> required_members(const SandboxEnvironmentVariableCreate*) {
    return {"key", "value"};
}

struct SandboxEnvironmentVariableUpdate {
    Patch<std::string> key;
    Patch<std::string> value;
    Patch<std::string> description;
};
BOOST_DESCRIBE_STRUCT(SandboxEnvironmentVariableUpdate, (), (key, value, description))
void check(const SandboxEnvironmentVariableUpdate& request, Problems& problems);

/// A new configuration of what `config` holds. Its type is the one whose members it has; none: local.
SandboxConfig make_sandbox_config(Json config, const std::string& organization_id, const std::string& actor);

/// The configuration of an organisation that has made none.
SandboxConfig default_sandbox_config(const std::string& type, const std::string& organization_id,
                                     const std::string& actor);

/// `config` merged into that of `stored`. True if something changed. Throws Error{invalid_argument} for members that
/// do not fit its type.
bool apply(const SandboxConfigUpdate& update, SandboxConfig& stored, const std::string& actor);

/// What changes whenever the configuration does: SHA-256 of type, organisation and settings, as a decimal number.
std::string fingerprint_of(const SandboxConfig& config);

/// True for what a process can have as the name of a variable.
bool is_variable_name(std::string_view name);

/// `name==version`, or the name alone: a requirement as pip reads it. For npm the sign is "@".
std::string requirement_text(const Requirement& requirement, std::string_view sign);

}  // namespace stele
