#include "api/device_hub.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>

namespace stele::api {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::size_t waiting_max = 1'000;
constexpr std::size_t waiting_bytes_max = 16u << 20;
constexpr std::size_t places_max = 100'000;
constexpr auto seen_interval = std::chrono::minutes(1);

std::string teleport_frame(const Teleport& teleport, const char* role) {
    return std::string(R"({"type":"teleport","role":")") + role + R"(","teleport":)" + to_json(teleport) + "}";
}

std::int64_t now_ms() { return to_micros(now()) / 1'000; }

}  // namespace

/// A connected device. Its socket belongs to the coroutine that serves it.
struct DeviceHub::Line {
    Line(Device of, net::WebSocket& with, asio::any_io_executor on)
        : device(std::move(of)), socket(&with), executor(std::move(on)), wake(executor) {}

    Device device;
    net::WebSocket* socket;  ///< null once it has ended; its own thread alone
    asio::any_io_executor executor;
    asio::steady_timer wake;  ///< its own thread alone
    std::deque<std::string> waiting;
    std::size_t waiting_bytes = 0;
    DevicePresence presence;
    Timestamp noted_at{};
    bool over = false;
    bool writing = true;  ///< its own thread alone
};

std::shared_ptr<DeviceHub::Line> DeviceHub::line_of(const std::string& connection_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(connection_id);
    return found == lines_.end() ? nullptr : found->second;
}

std::optional<DevicePresence> DeviceHub::presence(const std::string& connection_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(connection_id);
    return found == lines_.end() ? std::nullopt : std::optional(found->second->presence);
}

bool DeviceHub::send(const std::string& connection_id, std::string frame) {
    const std::shared_ptr<Line> line = line_of(connection_id);
    if (!line) return false;
    {
        const std::lock_guard lock(mutex_);
        if (line->over || line->waiting.size() >= waiting_max || line->waiting_bytes + frame.size() > waiting_bytes_max)
            return false;
        line->waiting_bytes += frame.size();
        line->waiting.push_back(std::move(frame));
    }
    asio::post(line->executor, [line] { line->wake.cancel(); });
    return true;
}

void DeviceHub::close(const std::string& connection_id) {
    const std::shared_ptr<Line> line = line_of(connection_id);
    if (!line) return;
    asio::post(line->executor, [line] {
        if (line->socket != nullptr) line->socket->close();
    });
}

awaitable<void> DeviceHub::serve(Device device, net::WebSocket& socket) {
    // Its end is that of the socket: the one who writes has to have left first, whatever happens to the connection.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const auto executor = co_await asio::this_coro::executor;
    close(device.connection_id);
    const auto line = std::make_shared<Line>(device, socket, executor);
    line->presence.connected_at = line->presence.last_heartbeat = now();
    line->presence.mode = device.current_mode;
    {
        const std::lock_guard lock(mutex_);
        lines_[device.connection_id] = line;
    }
    struct End {
        DeviceHub& hub;
        const std::shared_ptr<Line>& line;
        ~End() {
            line->socket = nullptr;
            line->wake.cancel();
            const std::lock_guard lock(hub.mutex_);
            line->over = true;
            const auto found = hub.lines_.find(line->device.connection_id);
            if (found != hub.lines_.end() && found->second == line) hub.lines_.erase(found);
        }
    };
    log::info("device.connected", {{"environment_id", device.id}, {"connection_id", device.connection_id}});
    // What is written lies in a coroutine of its own: the socket outlives it, since this one waits for its end.
    const auto write = [](std::shared_ptr<Line> to, std::mutex& mutex) -> awaitable<void> {
        while (!to->over) {
            std::string next;
            {
                const std::lock_guard lock(mutex);
                if (!to->waiting.empty()) {
                    next = std::move(to->waiting.front());
                    to->waiting.pop_front();
                    to->waiting_bytes -= next.size();
                }
            }
            try {
                if (next.empty()) {
                    boost::system::error_code ignored;
                    to->wake.expires_at(std::chrono::steady_clock::time_point::max());
                    co_await to->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
                } else {
                    co_await to->socket->write(std::move(next));
                }
            } catch (const std::exception&) {
                break;
            }
        }
        to->writing = false;
    };
    const End end{*this, line};
    asio::co_spawn(line->executor, write(line, mutex_), asio::detached);
    send(device.connection_id, R"({"type":"connected","connectionId":)" + json_string(device.connection_id) + "}");
    co_await note_seen(*line);
    for (;;) {
        std::optional<std::string> text = co_await socket.read();
        if (!text) break;
        co_await take(*line, std::move(*text));
    }
    line->noted_at = Timestamp{};
    co_await note_seen(*line);
    {
        const std::lock_guard lock(mutex_);
        line->over = true;
    }
    socket.close();
    line->wake.cancel();
    while (line->writing) co_await asio::post(line->executor, asio::use_awaitable);
    log::info("device.left", {{"environment_id", device.id}, {"connection_id", device.connection_id}});
}

// A heartbeat is on record once a minute; in between it is known here.
awaitable<void> DeviceHub::note_seen(Line& line) {
    const Timestamp at = now();
    if (at - line.noted_at < seen_interval) co_return;
    line.noted_at = line.device.last_seen_at = at;
    storage::Transaction transaction;
    devices_.note_seen(transaction, line.device);
    try {
        co_await database_.commit(std::move(transaction));
    } catch (const Error& error) {
        log::warn("device.not_noted", {{"environment_id", line.device.id}, {"why", error.what()}});
    }
}

awaitable<void> DeviceHub::take(Line& line, std::string text) {
    {
        const std::lock_guard lock(mutex_);
        line.presence.last_heartbeat = now();
    }
    std::optional<DeviceFrame> frame;
    std::string problem;
    try {
        frame = decode<DeviceFrame>(text);
    } catch (const Error&) {
        problem = "a frame is a JSON object with a type";
    }
    if (frame && frame->type.empty()) problem = "a frame is a JSON object with a type";
    if (frame && frame->type == "ping") send(line.device.connection_id, R"({"type":"pong"})");
    if (frame && frame->type == "mode") {
        const std::string mode = frame->mode.value_or("");
        if (is_device_mode(mode)) {
            const std::lock_guard lock(mutex_);
            line.presence.mode = line.device.current_mode = mode;
            line.noted_at = Timestamp{};
        } else {
            problem = "mode must be default, standard, acceptEdits, plan, bypassPermissions or unrestricted";
        }
    }
    try {
        if (frame && frame->type == "teleport") co_await take_teleport(line, std::move(*frame));
    } catch (const Error& error) {
        problem = error.code == ErrorCode::internal ? "this can't be done now" : error.what();
    }
    if (!problem.empty()) send(line.device.connection_id, R"({"type":"error","message":)" + json_string(problem) + "}");
    co_await note_seen(line);
}

std::optional<std::string> DeviceHub::place_of(const std::string& agent_id, const std::string& conversation_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(agent_id + " " + conversation_id);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
}

void DeviceHub::note_place(const std::string& agent_id, const std::string& conversation_id,
                           const std::string& connection_id) {
    const std::lock_guard lock(mutex_);
    if (places_.size() >= places_max) places_.clear();
    places_[agent_id + " " + conversation_id] = connection_id;
}

awaitable<void> DeviceHub::go_on(Teleport& teleport, std::string status, std::string error) {
    const std::string before = std::exchange(teleport.status, std::move(status));
    teleport.error.reset();
    if (!error.empty()) teleport.error = std::move(error);
    teleport.updatedAt = now_ms();
    storage::Transaction transaction;
    devices_.update_teleport(transaction, teleport, before);
    co_await database_.commit(std::move(transaction));
    if (teleport.status == "completed")
        note_place(teleport.agentId, teleport.conversationId, teleport.targetConnectionId);
}

awaitable<Teleport> DeviceHub::teleport(Teleport wanted, Device target) {
    auto known = co_await devices_.teleport_of_key(wanted.organization_id, wanted.idempotency_key);
    if (known) {
        if (known->agentId != wanted.agentId || known->conversationId != wanted.conversationId ||
            known->targetConnectionId != wanted.targetConnectionId)
            throw refused("idempotencyKey: was used for another move before");
        // Whoever had to do the next thing may have left, or this server may have been started anew.
        const std::string& waits_for =
            known->status == "waiting_for_source" ? known->sourceConnectionId : known->targetConnectionId;
        if (!known->is_over() && !presence(waits_for)) co_await go_on(*known, "failed", "The device has left");
        co_return std::move(*known);
    }
    const bool has_source =
        presence(wanted.sourceConnectionId).has_value() && wanted.sourceConnectionId != wanted.targetConnectionId;
    // A work folder is this very server: there is nobody to be waited for.
    wanted.status = has_source ? "waiting_for_source" : target.is_folder() ? "completed" : "starting_destination";
    wanted.createdAt = wanted.updatedAt = now_ms();
    storage::Transaction transaction;
    devices_.insert_teleport(transaction, wanted);
    co_await database_.commit(std::move(transaction));
    if (wanted.status == "completed")
        note_place(wanted.agentId, wanted.conversationId, wanted.targetConnectionId);
    else if (has_source)
        send(wanted.sourceConnectionId, teleport_frame(wanted, "source"));
    else
        send(wanted.targetConnectionId, teleport_frame(wanted, "destination"));
    co_return wanted;
}

awaitable<void> DeviceHub::take_teleport(const Line& line, DeviceFrame frame) {
    auto found = co_await devices_.find_teleport(line.device.organization_id, frame.id.value_or(""));
    if (!found) throw not_found("Teleport", frame.id.value_or(""));
    const std::string status = frame.status.value_or(""), me = line.device.connection_id;
    const bool waits_for_me = found->status == "waiting_for_source"     ? found->sourceConnectionId == me
                              : found->status == "starting_destination" ? found->targetConnectionId == me
                                                                        : false;
    if (!waits_for_me) throw refused("This move does not wait for you: it is " + found->status);
    if (status == "failed") {
        std::string why = frame.error.value_or("The device could not do it");
        co_await go_on(*found, "failed", std::move(why));
    } else if (status == "completed" && found->status == "starting_destination") {
        co_await go_on(*found, "completed", std::string());
    } else if (status == "ready" && found->status == "waiting_for_source") {
        const bool to_server = found->targetConnectionId.starts_with("sandbox-");
        std::string next = to_server ? "completed" : "starting_destination";
        co_await go_on(*found, std::move(next), std::string());
        if (!to_server && !send(found->targetConnectionId, teleport_frame(*found, "destination")))
            co_await go_on(*found, "failed", "The destination has left");
    } else {
        throw refused("status: a source says ready or failed, a destination completed or failed");
    }
}

}  // namespace stele::api
