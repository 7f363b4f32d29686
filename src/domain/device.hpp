#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

// Devices on which somebody runs the terminal client, and which can be sent messages. Members are spelled as that
// client reads them; times are milliseconds since 1970.
namespace stele {

inline constexpr char socket_path[] = "/socket";

/// A device as the store has it, or a work folder of this server in the place of one (work_folder.hpp).
struct Device {
    std::string id;  ///< "environment-<uuid>", of a work folder "sandbox-<uuid>"
    std::string organization_id, user_id;
    std::string device_id;      ///< as it names itself: unique in the organisation
    std::string connection_id;  ///< "connection-<uuid>": of its last registration
    std::string connection_name;
    Json metadata{"{}"};
    std::optional<std::string> current_mode;
    Timestamp first_seen_at{}, last_seen_at{};

    bool is_folder() const { return id.starts_with("sandbox-"); }
};

/// A device as answers show it. `connectionId` and `connectedAt` while its socket is open.
struct DeviceConnection {
    std::string id;
    std::optional<std::string> connectionId;
    std::string deviceId;
    std::string connectionName;
    std::string organizationId;
    std::string userId;
    std::optional<std::string> podId;  ///< always null: no machine of somebody else's is lent
    std::optional<std::int64_t> connectedAt;
    std::optional<std::int64_t> lastHeartbeat;
    std::int64_t lastSeenAt = 0;
    std::int64_t firstSeenAt = 0;
    Patch<std::string> currentMode;
    Json metadata{"{}"};
};
BOOST_DESCRIBE_STRUCT(DeviceConnection, (),
                      (id, connectionId, deviceId, connectionName, organizationId, userId, podId, connectedAt,
                       lastHeartbeat, lastSeenAt, firstSeenAt, currentMode, metadata))

struct DeviceConnections {
    std::vector<DeviceConnection> connections;
    bool hasNextPage = false;
};
BOOST_DESCRIBE_STRUCT(DeviceConnections, (), (connections, hasNextPage))

/// Body of POST /v1/environments/register.
struct DeviceRegistration {
    std::string deviceId;
    std::string connectionName;
    Patch<Json> metadata;  ///< kept whole, whatever is in it
};
BOOST_DESCRIBE_STRUCT(DeviceRegistration, (), (deviceId, connectionName, metadata))
constexpr std::array<std::string_view, 2> required_members(const DeviceRegistration*) {
    return {"deviceId", "connectionName"};
}
void check(const DeviceRegistration& request, Problems& problems);

struct DeviceRegistered {
    std::string connectionId;
    std::string wsUrl;
};
BOOST_DESCRIBE_STRUCT(DeviceRegistered, (), (connectionId, wsUrl))

/// Body of POST /v1/environments/{connectionId}/messages.
struct DeviceMessages {
    std::vector<Json> messages;  ///< user messages and approvals; the device knows what is in them
    Patch<std::string> agentId;
    Patch<std::string> conversationId;
};
BOOST_DESCRIBE_STRUCT(DeviceMessages, (), (messages, agentId, conversationId))
constexpr std::array<std::string_view, 1> required_members(const DeviceMessages*) { return {"messages"}; }
void check(const DeviceMessages& request, Problems& problems);

/// What most of these routes answer.
struct DeviceDone {
    bool success = true;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(DeviceDone, (), (success, message))

struct DeviceStorageKey {
    std::string key;  ///< base64 of 32 bytes
};
BOOST_DESCRIBE_STRUCT(DeviceStorageKey, (), (key))

/// A frame that a device sends over its socket.
struct DeviceFrame {
    std::string type;  ///< ping, mode, teleport
    Patch<std::string> mode;
    Patch<std::string> id;      ///< of a teleport
    Patch<std::string> status;  ///< of a teleport: ready, completed, failed
    Patch<std::string> error;
};
BOOST_DESCRIBE_STRUCT(DeviceFrame, (), (type, mode, id, status, error))

/// Body of POST /v1/environments/runtimes/{agent_id}/{conversation_id}/teleport.
struct TeleportRequest {
    std::string targetConnectionId;
    std::string idempotencyKey;
};
BOOST_DESCRIBE_STRUCT(TeleportRequest, (), (targetConnectionId, idempotencyKey))
constexpr std::array<std::string_view, 2> required_members(const TeleportRequest*) {
    return {"targetConnectionId", "idempotencyKey"};
}
void check(const TeleportRequest& request, Problems& problems);

/// A conversation's move from one device to another.
struct Teleport {
    std::string id;  ///< "teleport-<uuid>"
    std::string agentId;
    std::string conversationId;
    std::string sourceConnectionId;  ///< "server": no device has worked on it
    std::string targetConnectionId;
    std::string targetDeviceId;
    std::string targetConnectionName;
    std::string status;  ///< waiting_for_source, starting_destination, completed, failed
    std::optional<std::string> error;
    std::int64_t createdAt = 0;
    std::int64_t updatedAt = 0;

    std::string organization_id, idempotency_key;  // not described

    bool is_over() const { return status == "completed" || status == "failed"; }
};
BOOST_DESCRIBE_STRUCT(Teleport, (),
                      (id, agentId, conversationId, sourceConnectionId, targetConnectionId, targetDeviceId,
                       targetConnectionName, status, error, createdAt, updatedAt))

/// True for a mode that devices have.
bool is_device_mode(std::string_view mode);

}  // namespace stele
