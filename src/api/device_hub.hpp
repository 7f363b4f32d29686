#pragma once

#include "net/http.hpp"
#include "storage/device_repository.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace stele::api {

/// What a connected device is doing.
struct DevicePresence {
    Timestamp connected_at{}, last_heartbeat{};
    std::optional<std::string> mode;
};

/// The sockets of devices, and what travels over them (docs/guide/devices.md). Thread-safe; what it refers to outlives
/// it.
///
///     server -> device   {"type": "connected", "connectionId"}
///                        {"type": "messages", "agentId", "conversationId", "messages"}
///                        {"type": "teleport", "role": "source" | "destination", "teleport": {...}}
///                        {"type": "pong"}, and {"type": "error", "message"} for a frame that is none
///     device -> server   {"type": "ping"}, {"type": "mode", "mode"}
///                        {"type": "teleport", "id", "status": "ready" | "completed" | "failed", "error"?}
class DeviceHub {
public:
    DeviceHub(storage::Database& database, const storage::DeviceRepository& devices)
        : database_(database), devices_(devices) {}

    /// Speaks with `device` until its socket ends. A socket of the same connection that is open already is closed.
    boost::asio::awaitable<void> serve(Device device, net::WebSocket& socket);

    /// Nothing while it is not connected.
    std::optional<DevicePresence> presence(const std::string& connection_id) const;

    /// Hands a frame over to be sent. False if it is not connected, or does not take what it is sent.
    bool send(const std::string& connection_id, std::string frame);

    /// Closes its socket, if it has one.
    void close(const std::string& connection_id);

    /// The move that `request` asks for, begun or where it stands: a key that was used before names that move.
    /// `target`: connected. `source`: connection id of who works on the conversation now, or "server".
    boost::asio::awaitable<Teleport> teleport(Teleport wanted, Device target);

    /// Whose messages a conversation was last given: connection id, or nothing.
    std::optional<std::string> place_of(const std::string& agent_id, const std::string& conversation_id) const;
    void note_place(const std::string& agent_id, const std::string& conversation_id, const std::string& connection_id);

private:
    struct Line;

    boost::asio::awaitable<void> take(Line& line, std::string text);
    boost::asio::awaitable<void> take_teleport(const Line& line, DeviceFrame frame);
    /// `error`: empty for none.
    boost::asio::awaitable<void> go_on(Teleport& teleport, std::string status, std::string error);
    boost::asio::awaitable<void> note_seen(Line& line);
    std::shared_ptr<Line> line_of(const std::string& connection_id) const;

    storage::Database& database_;
    const storage::DeviceRepository& devices_;
    mutable std::mutex mutex_;  ///< of what follows, and of the lines' queues and presence
    std::map<std::string, std::shared_ptr<Line>> lines_;
    std::map<std::string, std::string> places_;  ///< "agent conversation" -> connection
};

}  // namespace stele::api
