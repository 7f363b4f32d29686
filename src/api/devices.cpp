#include "api/device_common.hpp"
#include "api/device_hub.hpp"
#include "api/mcp_common.hpp"
#include "api/message_answer.hpp"
#include "base/base64.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/seal.hpp"
#include "domain/hosted_error.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/database.hpp"
#include "storage/device_repository.hpp"

// Devices on which the terminal client listens (docs/guide/devices.md). A work folder stands among them: its device is
// this server.
namespace stele::api {

std::int64_t epoch_ms(Timestamp time) { return to_micros(time) / 1'000; }

DeviceConnection shown_device(const Services& services, const Device& device) {
    DeviceConnection shown;
    shown.id = device.id;
    shown.deviceId = device.device_id;
    shown.connectionName = device.connection_name;
    shown.organizationId = device.organization_id;
    shown.userId = device.user_id;
    shown.lastSeenAt = epoch_ms(device.last_seen_at);
    shown.firstSeenAt = epoch_ms(device.first_seen_at);
    shown.lastHeartbeat = shown.lastSeenAt;
    shown.metadata = device.metadata;
    if (device.current_mode) shown.currentMode = *device.current_mode;
    if (device.is_folder()) {
        shown.connectionId = device.connection_id;
        shown.connectedAt = shown.firstSeenAt;
        shown.lastHeartbeat = shown.lastSeenAt = epoch_ms(now());
    } else if (const auto presence = services.terminal.device_hub.presence(device.connection_id)) {
        shown.connectionId = device.connection_id;
        shown.connectedAt = epoch_ms(presence->connected_at);
        shown.lastHeartbeat = shown.lastSeenAt = epoch_ms(presence->last_heartbeat);
        if (presence->mode) shown.currentMode = *presence->mode;
    }
    return shown;
}

awaitable<std::string> conversation_of(Services& services, const Request& request, std::string agent_id,
                                       std::string named) {
    std::string id = stored_conversation_id(std::move(named));
    if (id.empty()) co_return id;
    const auto owner = co_await services.conversations.agent_of(request.organization_id, id);
    if (owner != agent_id) throw not_found("Conversation", id);
    co_return id;
}

namespace {

constexpr std::int64_t page_default = 50, page_max = 100;
constexpr int attempts_max = 5;

Error device_gone(const std::string& id) {
    return hosted_error(ErrorCode::not_found, "Environment not found: " + id, "environmentNotFound");
}

awaitable<Device> device_of(Services& services, const Request& request, std::string id) {
    auto found = co_await services.terminal.devices.find(request.organization_id, id);
    if (!found) throw device_gone(id);
    co_return std::move(*found);
}

// What lets a device open its socket: the client that registered may not be able to send headers there. Only this
// server can have made it.
std::string ticket_text(const Device& device) {
    return "socket " + device.organization_id + " " + device.connection_id;
}

std::string socket_url(const Services& services, const Request& request, const Device& device) {
    std::string url = mcp_public_url(services, request);  // http... becomes ws...
    url.replace(0, 4, "ws");
    return url + "/v1/environments/" + device.connection_id + socket_path + "?organization=" + device.organization_id +
           "&ticket=" + services.sealer.seal(ticket_text(device));
}

awaitable<Response> enroll(Services& services, const Request& request) {
    auto body = decode<DeviceRegistration>(request.body());
    for (int attempt = 1;; ++attempt) {
        auto known = co_await services.terminal.devices.find(request.organization_id, body.deviceId);
        if (known && known->device_id != body.deviceId) known.reset();
        if (known && (known->user_id != request.user_id || known->is_folder()))
            throw hosted_error(ErrorCode::permission_denied, "This deviceId belongs to somebody else", "deviceTaken");
        Device device = known.value_or(Device());
        const std::string before = device.connection_id;
        device.connection_id = new_id("connection");
        device.connection_name = body.connectionName;
        if (body.metadata.has_value()) device.metadata = *body.metadata;
        device.last_seen_at = now();
        storage::Transaction transaction;
        if (known) {
            services.terminal.devices.update(transaction, device);
        } else {
            device.id = new_id("environment");
            device.organization_id = request.organization_id;
            device.user_id = request.user_id;
            device.device_id = body.deviceId;
            device.first_seen_at = device.last_seen_at;
            services.terminal.devices.insert(transaction, device);
        }
        DeviceRegistered shown;
        shown.connectionId = device.connection_id;
        shown.wsUrl = socket_url(services, request, device);
        try {
            co_await services.database.commit(std::move(transaction));
            if (!before.empty()) services.terminal.device_hub.close(before);
            co_return answer(shown);
        } catch (const Error& error) {  // it has registered twice in this moment
            if (error.type != changed_meanwhile_type || attempt == attempts_max) throw;
        }
    }
}

storage::DeviceFilter filter_of(const Query& query) {
    storage::DeviceFilter filter;
    filter.user_id = query.text("userId");
    const auto source = query.text("source");
    if (source && *source != "local" && *source != "remote")
        throw invalid_field("query.source", "must be local or remote");
    if (source) filter.folders = *source == "remote";
    return filter;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::DeviceFilter filter = filter_of(request.query);
    const bool online_only = request.query.flag("onlineOnly").value_or(false);
    const std::int64_t limit = request.query.integer("limit").value_or(page_default);
    if (limit < 1 || limit > page_max) throw invalid_field("query.limit", "must lie between 1 and 100");
    if (const auto after = request.query.text("after")) {
        Device last = co_await device_of(services, request, *after);
        filter.after = std::move(last);
    }
    filter.limit = page_max;
    DeviceConnections shown;
    for (bool more = true; more && !shown.hasNextPage;) {
        const std::vector<Device> page = co_await services.terminal.devices.list(request.organization_id, filter);
        more = page.size() == static_cast<std::size_t>(filter.limit);
        for (const Device& device : page) {
            DeviceConnection one = shown_device(services, device);
            if (online_only && !one.connectionId) continue;
            shown.hasNextPage = shown.connections.size() == static_cast<std::size_t>(limit);
            if (shown.hasNextPage) break;
            shown.connections.push_back(std::move(one));
        }
        if (more) filter.after = page.back();
    }
    co_return answer(shown);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const Device device = co_await device_of(services, request, request.path("deviceId"));
    co_return answer(shown_device(services, device));
}

awaitable<Response> remove(Services& services, const Request& request) {
    Device device = co_await device_of(services, request, request.path("id"));
    if (device.user_id != request.user_id)
        throw hosted_error(ErrorCode::permission_denied, "This environment belongs to somebody else",
                           "environmentNotYours");
    if (device.is_folder()) co_return co_await terminate(services, std::move(device));
    storage::Transaction transaction;
    services.terminal.devices.remove(transaction, device);
    co_await services.database.commit(std::move(transaction));
    services.terminal.device_hub.close(device.connection_id);
    DeviceDone done;
    done.message = "Environment " + device.id + " is forgotten";
    co_return answer(done);
}

std::string joined(const std::vector<Json>& messages) {
    std::string list = "[";
    for (const Json& message : messages) list += (list.size() > 1 ? "," : "") + message.text;
    return list + "]";
}

// The server is the device: it lets the agent work on the messages, in the background.
awaitable<void> run_here(Services& services, const Request& request, std::string agent_id, std::string conversation_id,
                         const DeviceMessages& body) {
    auto messages = decode<MessageRequest>("{\"background\":true,\"messages\":" + joined(body.messages) + "}");
    MessageTarget target;
    target.agent_id = std::move(agent_id);
    target.conversation_id = std::move(conversation_id);
    runtime::TurnRequest turn = turn_of(request, std::move(target), std::move(messages), true);
    turn.run_type = async_run_type;
    turn.idempotency_key.reset();
    co_await services.runtime.start(std::move(turn));
}

awaitable<Response> send_message(Services& services, const Request& request) {
    const auto body = decode<DeviceMessages>(request.body());
    const std::string connection_id = request.path("connectionId");
    const Device device = co_await device_of(services, request, connection_id);
    if (device.connection_id != connection_id) throw device_gone(connection_id);
    std::string agent_id = body.agentId.value_or("");
    if (device.is_folder()) {
        const auto owner = co_await services.terminal.devices.agent_of_folder(request.organization_id, device.id);
        if (!owner) throw device_gone(connection_id);
        if (!agent_id.empty() && agent_id != *owner) throw refused("agentId: this sandbox is another agent's");
        agent_id = *owner;
    }
    std::string conversation_id;
    if (!agent_id.empty()) {
        const bool there = co_await services.agents.exists(request.organization_id, agent_id);
        if (!there) throw not_found("Agent", agent_id);
        conversation_id =
            co_await conversation_of(services, request, agent_id, body.conversationId.value_or("default"));
    }
    if (device.is_folder()) {
        co_await run_here(services, request, agent_id, conversation_id, body);
    } else {
        const std::string frame =
            "{\"type\":\"messages\",\"agentId\":" + (agent_id.empty() ? std::string("null") : json_string(agent_id)) +
            ",\"conversationId\":" +
            (body.conversationId.has_value() ? json_string(*body.conversationId) : std::string("null")) +
            ",\"messages\":" + joined(body.messages) + "}";
        if (!services.terminal.device_hub.send(connection_id, frame))
            throw hosted_error(ErrorCode::unavailable, "The environment is not connected", "environmentOffline");
    }
    if (!agent_id.empty())
        services.terminal.device_hub.note_place(agent_id, conversation_id.empty() ? "default" : conversation_id,
                                                connection_id);
    DeviceDone done;
    done.message = device.is_folder() ? "The agent is at work on the messages" : "The messages were handed over";
    co_return answer(done);
}

awaitable<Response> open_socket(Services& services, const Request& request) {
    const std::string organization_id = request.query.text("organization").value_or("");
    const std::string connection_id = request.path("connectionId");
    const Error unauthorized(ErrorCode::unauthenticated, "Unauthorized");
    auto device = co_await services.terminal.devices.find(organization_id, connection_id);
    if (!device || device->connection_id != connection_id || device->is_folder()) throw unauthorized;
    std::string told;
    try {
        told = services.sealer.open(request.query.text("ticket").value_or(""));
    } catch (const Error&) {
        throw unauthorized;
    }
    if (told != ticket_text(*device)) throw unauthorized;
    Response response;
    response.socket = [&services, device = *device](net::WebSocket& socket) {
        return services.terminal.device_hub.serve(device, socket);
    };
    co_return response;
}

awaitable<Response> teleport(Services& services, const Request& request) {
    Teleport wanted;
    wanted.agentId = request.path_id("agent_id", "agent");
    std::string named = request.path("conversation_id");
    if (named != "default") named = request.path_id("conversation_id", "conv");
    const auto body = decode<TeleportRequest>(request.body());
    const bool there = co_await services.agents.exists(request.organization_id, wanted.agentId);
    if (!there) throw not_found("Agent", wanted.agentId);
    const std::string conversation = co_await conversation_of(services, request, wanted.agentId, std::move(named));
    Device target = co_await device_of(services, request, body.targetConnectionId);
    if (target.connection_id != body.targetConnectionId) throw device_gone(body.targetConnectionId);
    if (target.is_folder()) {
        const auto owner = co_await services.terminal.devices.agent_of_folder(request.organization_id, target.id);
        if (owner != wanted.agentId) throw refused("targetConnectionId: this sandbox is another agent's");
    }
    wanted.id = new_id("teleport");
    wanted.organization_id = request.organization_id;
    wanted.idempotency_key = body.idempotencyKey;
    wanted.conversationId = conversation.empty() ? "default" : conversation;
    wanted.targetConnectionId = target.connection_id;
    wanted.targetDeviceId = target.device_id;
    wanted.targetConnectionName = target.connection_name;
    const auto begun = co_await services.terminal.devices.teleport_of_key(request.organization_id, body.idempotencyKey);
    DeviceHub& hub = services.terminal.device_hub;
    if (!begun && !target.is_folder() && !hub.presence(target.connection_id))
        throw hosted_error(ErrorCode::unavailable, "The environment is not connected", "environmentOffline");
    auto source = hub.place_of(wanted.agentId, wanted.conversationId);
    if (!source) {
        const auto last = co_await services.terminal.devices.last_teleport(request.organization_id, wanted.agentId,
                                                                           wanted.conversationId);
        if (last) source = last->targetConnectionId;
    }
    wanted.sourceConnectionId = source.value_or("server");
    const Teleport shown = co_await hub.teleport(std::move(wanted), std::move(target));
    Response response = answer(shown);
    response.status = 202;
    co_return response;
}

awaitable<Response> storage_key(Services& services, const Request& request) {
    const auto device_id = request.query.text("deviceId");
    if (!device_id) throw invalid_field("query.deviceId", "is required");
    DeviceStorageKey shown;
    shown.key = to_base64(services.sealer.derive("device storage\n" + request.user_id + "\n" + *device_id));
    co_return answer(shown);
}

}  // namespace

std::span<const Route> device_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/environments/register", enroll, "environments.register", "DeviceRegistration",
         "DeviceRegistered"},
        {Method::get, "/v1/environments", list, "environments.list", "", "DeviceConnections",
         "limit:integer, after, userId, onlineOnly:boolean, source"},
        {Method::get, "/v1/environments/{deviceId}", retrieve, "environments.retrieve", "", "DeviceConnection"},
        {Method::delete_, "/v1/environments/{id}", remove, "environments.delete", "", "DeviceDone"},
        {Method::post, "/v1/environments/{connectionId}/messages", send_message, "environments.send_message",
         "DeviceMessages", "DeviceDone"},
        {Method::get, "/v1/environments/{connectionId}/socket", open_socket, "environments.socket", "",
         "application/octet-stream", "organization!, ticket!", Trait::open},
        {Method::post, "/v1/environments/runtimes/{agent_id}/{conversation_id}/teleport", teleport,
         "environments.teleport", "TeleportRequest", "Teleport", "", Trait::accepted},
        {Method::get, "/v1/device-storage-key", storage_key, "device_storage_key.retrieve", "", "DeviceStorageKey",
         "deviceId!"},
    };
    return routes;
}

}  // namespace stele::api
