#pragma once

#include "domain/device.hpp"

// Sandboxes as the terminal client knows them: on a server of one's own a folder of this server, which an agent keeps
// from call to call, and the server itself in the place of a device.
namespace stele {

/// An element of GET /v1/sandboxes.
struct SandboxListing {
    std::string id;
    std::string sandboxId;
    std::string agentId;
    std::string connectionName;
    std::string deviceId;
    std::string organizationId;
    std::optional<std::string> connectionId;
    std::optional<std::string> podId;  ///< always null
    std::optional<std::int64_t> connectedAt;
    std::optional<std::int64_t> lastHeartbeat;
    std::int64_t lastSeenAt = 0;
    std::int64_t firstSeenAt = 0;
};
BOOST_DESCRIBE_STRUCT(SandboxListing, (),
                      (id, sandboxId, agentId, connectionName, deviceId, organizationId, connectionId, podId,
                       connectedAt, lastHeartbeat, lastSeenAt, firstSeenAt))

struct SandboxList {
    std::vector<SandboxListing> sandboxes;
};
BOOST_DESCRIBE_STRUCT(SandboxList, (), (sandboxes))

/// Body of POST /v1/sandboxes.
struct SandboxCreate {
    std::string agentId;
    Patch<std::string> connectionName;
};
BOOST_DESCRIBE_STRUCT(SandboxCreate, (), (agentId, connectionName))
constexpr std::array<std::string_view, 1> required_members(const SandboxCreate*) { return {"agentId"}; }
void check(const SandboxCreate& request, Problems& problems);

/// Body of POST /v1/agents/{agent_id}/sandboxes.
struct SandboxStart {
    Patch<std::string> conversationId;  ///< one for this conversation alone
};
BOOST_DESCRIBE_STRUCT(SandboxStart, (), (conversationId))

struct SandboxMade {
    std::string sandboxId;
    std::string deviceId;
    std::string connectionName;
    Patch<std::string> conversationId;
    Patch<bool> resumed;  ///< it was there before
};
BOOST_DESCRIBE_STRUCT(SandboxMade, (), (sandboxId, deviceId, connectionName, conversationId, resumed))

struct SandboxFile {
    std::string path;
    std::string name;
    std::string mimeType;
    std::int64_t size = 0;
};
BOOST_DESCRIBE_STRUCT(SandboxFile, (), (path, name, mimeType, size))

struct SandboxFiles {
    std::vector<SandboxFile> files;
};
BOOST_DESCRIBE_STRUCT(SandboxFiles, (), (files))

/// A path within a folder in the form in which it is kept ("docs/a.txt"). Nothing for one that leads out of it, or that
/// no file can have.
std::optional<std::string> path_in_folder(std::string_view path);

}  // namespace stele
