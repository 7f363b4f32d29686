#include "api/terminal_services.hpp"
#include "base/log.hpp"
#include "runtime/git_memory.hpp"

#include <algorithm>

// Git's smart protocol over HTTP (gitprotocol-http) for the memory of agents:
//
//     /v1/git/{agent_id}/state.git                  the agent's own, whose blocks follow the branch main
//     /v1/git/{agent_id}/repositories/{name}.git    one that it has mounted
//
// Whoever fetches needs a credential that reads, whoever pushes one that writes; git sends it as the password.
namespace stele::api {
namespace {

constexpr std::string_view upload = "git-upload-pack", receive = "git-receive-pack";

// Of the header Git-Protocol only what git itself sends: it becomes a variable of a child process.
std::string protocol_of(const Request& request) {
    const std::string* header = request.http.headers.find("Git-Protocol");
    if (header == nullptr) return {};
    return *header == "version=2" || *header == "version=1" ? *header : std::string();
}

awaitable<runtime::OpenRepository> opened(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    runtime::GitMemory& memory = services.terminal.git_memory;
    const bool named = std::any_of(request.path_values.begin(), request.path_values.end(),
                                   [](const auto& value) { return value.first == "repository"; });
    if (!named) {
        const bool enabled = co_await memory.enabled(request.organization_id, agent_id);
        if (!enabled)
            throw Error(ErrorCode::not_found, "Agent " + agent_id + " has no git memory: give it the tag '" +
                                                  std::string(git_memory_tag) + "'");
        co_return co_await memory.open(request.organization_id, request.user_id, agent_id);
    }
    std::string name = request.path("repository");
    if (!name.ends_with(".git")) throw not_found("Repository", name);
    name.resize(name.size() - 4);
    co_return co_await memory.open_mounted(request.organization_id, agent_id, std::move(name));
}

Response answer_of_git(const std::string& type, std::string body) {
    Response response;
    response.content_type = type;
    response.headers.add("Cache-Control", "no-cache, max-age=0, must-revalidate");
    response.body = std::move(body);
    return response;
}

awaitable<Response> advertise(Services& services, const Request& request) {
    const runtime::OpenRepository repository = co_await opened(services, request);
    const std::string service = request.query.text("service").value_or("");
    if (service != upload && service != receive)
        throw refused("Only git's smart protocol is spoken here: service must be git-upload-pack or git-receive-pack");
    const std::string protocol = protocol_of(request);
    std::string refs = co_await repository.repository.advertise(service, protocol);
    // The second version says by itself which service it is.
    if (protocol != "version=2" || service == receive) {
        const std::string line = "# service=" + service + "\n";
        char length[8];
        std::snprintf(length, sizeof length, "%04zx", line.size() + 4);
        refs.insert(0, length + line + "0000");
    }
    co_return answer_of_git("application/x-" + service + "-advertisement", std::move(refs));
}

void demand_type(const Request& request, std::string_view service) {
    const std::string* type = request.http.headers.find("Content-Type");
    if (type == nullptr || *type != "application/x-" + std::string(service) + "-request")
        throw Error(ErrorCode::unsupported_media,
                    "The body must be of type application/x-" + std::string(service) + "-request");
}

// A fetch reads what does not change any more: whoever pushes meanwhile only adds to it.
awaitable<Response> fetch(Services& services, const Request& request) {
    std::optional<tools::GitRepository> repository;
    {
        const runtime::OpenRepository open = co_await opened(services, request);
        repository = open.repository;
    }
    demand_type(request, upload);
    Response response = answer_of_git("application/x-git-upload-pack-result", {});
    response.producer = [repository = *repository, protocol = protocol_of(request),
                         body = request.body()](net::BodyWriter& writer) {
        return repository.serve_to(std::string(upload), protocol, body,
                                   [&writer](std::string piece) { return writer.write(std::move(piece)); });
    };
    co_return response;
}

awaitable<Response> push(Services& services, const Request& request) {
    const runtime::OpenRepository repository = co_await opened(services, request);
    demand_type(request, receive);
    std::string told = co_await repository.repository.serve(std::string(receive), protocol_of(request), request.body());
    try {
        co_await services.terminal.git_memory.pushed(request.organization_id, request.user_id, repository);
    } catch (const Error& error) {  // the push is on the disk: the next look at the memory brings the blocks up to it
        log::warn("git_memory.blocks_behind", {{"request_id", request.request_id}, {"why", error.what()}});
    }
    co_return answer_of_git("application/x-git-receive-pack-result", std::move(told));
}

awaitable<Response> nothing_there(Services&, const Request& request) {
    throw not_found("Repository", request.path("path"));
    co_return Response();
}

awaitable<Response> options(Services&, const Request&) {
    Response response;
    response.headers.add("Allow", "GET, HEAD, POST, OPTIONS");
    response.content_type = "text/plain";
    co_return response;
}

}  // namespace

std::span<const Route> git_routes() {
    static constexpr char rest[] = "/v1/git/{path...}";
    static constexpr Route routes[] = {
        {Method::get, "/v1/git/{agent_id}/state.git/info/refs", advertise, "git.memory.refs", "",
         "application/x-git-upload-pack-advertisement", "service!"},
        {Method::post, "/v1/git/{agent_id}/state.git/git-upload-pack", fetch, "git.memory.fetch",
         "application/x-git-upload-pack-request", "application/x-git-upload-pack-result"},
        {Method::post, "/v1/git/{agent_id}/state.git/git-receive-pack", push, "git.memory.push",
         "application/x-git-receive-pack-request", "application/x-git-receive-pack-result"},
        {Method::get, "/v1/git/{agent_id}/repositories/{repository}/info/refs", advertise, "git.repositories.refs", "",
         "application/x-git-upload-pack-advertisement", "service!"},
        {Method::post, "/v1/git/{agent_id}/repositories/{repository}/git-upload-pack", fetch, "git.repositories.fetch",
         "application/x-git-upload-pack-request", "application/x-git-upload-pack-result"},
        {Method::post, "/v1/git/{agent_id}/repositories/{repository}/git-receive-pack", push, "git.repositories.push",
         "application/x-git-receive-pack-request", "application/x-git-receive-pack-result"},
        {Method::get, rest, nothing_there, "git.get", "", "application/x-git"},
        {Method::post, rest, nothing_there, "git.post", "application/x-git", "application/x-git"},
        {Method::options, rest, options, "git.options", "", "text/plain", "", Trait::open},
    };
    return routes;
}

}  // namespace stele::api
