#include "api/device_common.hpp"
#include "base/ids.hpp"
#include "domain/hosted_error.hpp"
#include "net/multipart.hpp"
#include "runtime/work_folders.hpp"
#include "storage/agent_repository.hpp"
#include "storage/device_repository.hpp"

// What a hosted sandbox is on a server of one's own: a folder that an agent keeps files in, with the server itself as
// the device that works for it.
namespace stele::api {

awaitable<Response> terminate(Services& services, Device folder) {
    DeviceDone done;
    done.message = "Sandbox " + folder.id + " is gone, with its files";
    co_await services.terminal.work_folders.remove(std::move(folder));
    co_return answer(done);
}

namespace {

constexpr std::int64_t list_default = 50, list_max = 100;

Error sandbox_gone(const std::string& id) {
    return hosted_error(ErrorCode::not_found, "Sandbox not found: " + id, "sandboxNotFound");
}

awaitable<Device> sandbox_of(Services& services, const Request& request) {
    const std::string id = request.path("sandboxId");
    auto found = co_await services.terminal.devices.find(request.organization_id, id);
    if (!found || !found->is_folder()) throw sandbox_gone(id);
    co_return std::move(*found);
}

SandboxMade made_of(const Device& folder) {
    SandboxMade made;
    made.sandboxId = folder.id;
    made.deviceId = folder.device_id;
    made.connectionName = folder.connection_name;
    return made;
}

awaitable<Response> list(Services& services, const Request& request) {
    const std::int64_t limit = request.query.integer("limit").value_or(list_default);
    if (limit < 1 || limit > list_max) throw invalid_field("query.limit", "must lie between 1 and 100");
    const std::optional<std::string> agent_id = request.query.text("agentId");
    const auto folders = co_await services.terminal.devices.folders(request.organization_id, agent_id, limit);
    SandboxList shown;
    for (const auto& [folder, owner] : folders) {
        const DeviceConnection device = shown_device(services, folder);
        SandboxListing& one = shown.sandboxes.emplace_back();
        one.id = one.sandboxId = folder.id;
        one.agentId = owner;
        one.connectionName = device.connectionName;
        one.deviceId = device.deviceId;
        one.organizationId = device.organizationId;
        one.connectionId = device.connectionId;
        one.connectedAt = device.connectedAt;
        one.lastHeartbeat = device.lastHeartbeat;
        one.lastSeenAt = device.lastSeenAt;
        one.firstSeenAt = device.firstSeenAt;
    }
    co_return answer(shown);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<SandboxCreate>(request.body());
    const auto agent = co_await services.agents.find(request.organization_id, body.agentId);
    if (!agent) throw not_found("Agent", body.agentId);
    std::string name = body.connectionName.value_or("");
    if (name.empty()) name = agent->name;
    const Device folder = co_await services.terminal.work_folders.create(request.organization_id, request.user_id,
                                                                         agent->id, std::string(), std::move(name));
    co_return answer(made_of(folder));
}

awaitable<Response> start(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const auto body = decode_optional<SandboxStart>(request);
    const auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    std::string conversation_id =
        co_await conversation_of(services, request, agent_id, body.conversationId.value_or("default"));
    const std::optional<std::string> wanted = conversation_id;
    const auto known = co_await services.terminal.devices.folder_of(request.organization_id, agent_id, wanted);
    Device folder = known.value_or(Device());
    if (!known)
        folder = co_await services.terminal.work_folders.create(request.organization_id, request.user_id, agent_id,
                                                                std::move(conversation_id), agent->name);
    SandboxMade made = made_of(folder);
    made.resumed = known.has_value();
    if (body.conversationId.has_value()) made.conversationId = *body.conversationId;
    co_return answer(made);
}

awaitable<Response> end(Services& services, const Request& request) {
    Device folder = co_await sandbox_of(services, request);
    co_return co_await terminate(services, std::move(folder));
}

std::string demand_path(const std::string& field, const std::string& path) {
    const auto made = path_in_folder(path);
    if (!made) throw invalid_field(field, "must be a path within the sandbox");
    return *made;
}

awaitable<Response> upload(Services& services, const Request& request) {
    const std::string* type = request.http.headers.find("Content-Type");
    const std::vector<net::FormPart> parts = net::parse_form(type == nullptr ? "" : *type, request.body());
    const std::string directory = request.query.text("path").value_or("");
    const Device folder = co_await sandbox_of(services, request);
    SandboxFiles shown;
    for (const net::FormPart& part : parts) {
        if (part.name != "file") continue;
        std::string path = demand_path("body.file", directory + "/" + part.file_name);
        SandboxFile file =
            co_await services.terminal.work_folders.write(folder.id, std::move(path), std::string(part.content));
        if (!part.content_type.empty()) file.mimeType = part.content_type;
        shown.files.push_back(std::move(file));
    }
    if (shown.files.empty()) throw invalid_field("body.file", "is required");
    co_return answer(shown);
}

// With a path the file, without one what there is.
awaitable<Response> download(Services& services, const Request& request) {
    const auto named = request.query.text("path");
    const Device folder = co_await sandbox_of(services, request);
    if (!named) {
        SandboxFiles shown;
        shown.files = co_await services.terminal.work_folders.list(folder.id);
        co_return answer(shown);
    }
    const std::string path = demand_path("query.path", *named);
    auto content = co_await services.terminal.work_folders.read(folder.id, path);
    if (!content) throw hosted_error(ErrorCode::not_found, "File not found: " + path, "fileNotFound");
    Response response;
    // Never something that a browser would run on this server's behalf.
    response.content_type = runtime::media_type_of(path);
    response.headers.add("Content-Disposition", "attachment");
    response.headers.add("Content-Security-Policy", "sandbox; default-src 'none'");
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.body = std::move(*content);
    co_return response;
}

}  // namespace

std::span<const Route> sandbox_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/sandboxes", list, "sandboxes.list", "", "SandboxList", "agentId, limit:integer"},
        {Method::post, "/v1/sandboxes", create, "sandboxes.create", "SandboxCreate", "SandboxMade"},
        {Method::post, "/v1/agents/{agent_id}/sandboxes", start, "agents.sandboxes.start", "SandboxStart?",
         "SandboxMade"},
        {Method::post, "/v1/sandboxes/{sandboxId}/terminate", end, "sandboxes.terminate", "", "DeviceDone"},
        {Method::get, "/v1/sandboxes/{sandboxId}/files", download, "sandboxes.files.retrieve", "",
         "application/octet-stream", "path"},
        {Method::post, "/v1/sandboxes/{sandboxId}/files", upload, "sandboxes.files.upload", "multipart/form-data",
         "SandboxFiles", "path"},
    };
    return routes;
}

}  // namespace stele::api
