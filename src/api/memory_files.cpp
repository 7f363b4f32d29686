#include "api/memory_commits.hpp"
#include "api/terminal_services.hpp"
#include "base/utf8.hpp"
#include "domain/hosted_error.hpp"
#include "runtime/git_memory.hpp"

#include <algorithm>
#include <map>

// The git memory of an agent, read without git.
namespace stele::api {

std::vector<MemoryCommit> shown_commits(std::vector<tools::GitCommit> commits) {
    std::vector<MemoryCommit> shown;
    for (tools::GitCommit& commit : commits) {
        MemoryCommit& made = shown.emplace_back();
        made.sha = std::move(commit.sha);
        made.message = to_valid_utf8(commit.message);
        made.timestamp = from_micros(commit.time * 1'000'000);
        made.author_name = to_valid_utf8(commit.author_name);
    }
    return shown;
}

std::int64_t limit_of(const Query& query, std::int64_t standard) {
    const std::int64_t limit = query.integer("limit").value_or(standard);
    if (limit < 1 || limit > commits_max) throw invalid_field("query.limit", "must lie between 1 and 1000");
    return limit;
}

std::string path_in_repository(std::string path) {
    while (path.starts_with('/')) path.erase(0, 1);
    while (path.ends_with('/')) path.pop_back();
    if (path.starts_with("./")) path.erase(0, 2);
    return path == "." ? std::string() : path;
}

namespace {

constexpr std::int64_t depth_max = 64;
constexpr std::int64_t content_bytes_max = 8 << 20;  // a push of a few kilobytes may unpack to more than memory holds

// 501 is what this route answers for agents that keep their memory in blocks alone.
Response no_git_memory() {
    Response response;
    response.status = 501;
    const std::string text = "This agent has no git memory: give it the tag '" + std::string(git_memory_tag) +
                             "' to keep its memory as files";
    response.body = R"({"detail":")" + text + R"(","message":")" + text + R"("})";
    return response;
}

Error missing(const std::string& what, const std::string& name) {
    return hosted_error(ErrorCode::not_found, what + " not found: " + name);
}

/// An agent's memory at the ref that a request names.
struct Looking {
    std::optional<runtime::OpenRepository> memory;  ///< nothing: the agent has none
    std::string commit;                             ///< empty: there is none yet
};

awaitable<Looking> look(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    Looking looking;
    const bool enabled = co_await services.terminal.git_memory.enabled(request.organization_id, agent_id);
    if (!enabled) co_return looking;
    runtime::OpenRepository memory =
        co_await services.terminal.git_memory.open(request.organization_id, request.user_id, agent_id);
    looking.memory = std::move(memory);
    const std::string ref = request.query.text("ref").value_or("HEAD");
    looking.commit = co_await looking.memory->repository.commit_of(ref);
    if (looking.commit.empty() && ref != "HEAD") throw missing("Ref", ref);
    co_return looking;
}

std::string wanted_file(const Request& request) {
    request.path_id("agent_id", "agent");  // what the path names is told of first
    const auto path = request.query.text("file_path");
    if (!path) throw invalid_field("query.file_path", "is required");
    return path_in_repository(*path);
}

// What lies in `path`, `depth` levels deep: by name, whether it is a directory.
std::map<std::string, bool> entries_below(const std::vector<tools::GitFile>& files, const std::string& path,
                                          std::int64_t depth) {
    std::map<std::string, bool> entries;
    const std::string start = path.empty() ? std::string() : path + "/";
    for (const tools::GitFile& file : files) {
        if (!file.path.starts_with(start)) continue;
        const std::string rest = file.path.substr(start.size());
        std::int64_t level = 1;
        for (std::size_t slash = rest.find('/'); slash != std::string::npos && level <= depth;
             slash = rest.find('/', slash + 1), ++level)
            entries.emplace(rest.substr(0, slash), true);
        if (level <= depth) entries.emplace(rest, false);
    }
    return entries;
}

awaitable<Response> directory(Services& services, const Request& request) {
    MemoryDirectory shown;
    request.path_id("agent_id", "agent");
    shown.path = path_in_repository(request.query.text("path").value_or(""));
    shown.depth = request.query.integer("depth").value_or(1);
    if (shown.depth < 1 || shown.depth > depth_max) throw invalid_field("query.depth", "must lie between 1 and 64");
    const Looking looking = co_await look(services, request);
    if (!looking.memory) co_return no_git_memory();
    const std::vector<tools::GitFile> files = co_await looking.memory->repository.files(looking.commit);
    for (const auto& [name, is_directory] : entries_below(files, shown.path, shown.depth)) {
        MemoryEntry& entry = shown.entries.emplace_back();
        entry.name = to_valid_utf8(name);
        entry.type = is_directory ? "directory" : "file";
    }
    if (shown.entries.empty() && !shown.path.empty()) throw missing("Directory", shown.path);
    co_return answer(shown);
}

awaitable<Response> content(Services& services, const Request& request) {
    MemoryFileContent shown;
    shown.path = wanted_file(request);
    const Looking looking = co_await look(services, request);
    if (!looking.memory) co_return no_git_memory();
    const std::vector<tools::GitFile> files = co_await looking.memory->repository.files(looking.commit);
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const tools::GitFile& each) { return each.path == shown.path && each.regular; });
    if (file == files.end()) throw missing("File", shown.path);
    if (file->size > content_bytes_max)
        throw Error(ErrorCode::too_large, shown.path + " has " + std::to_string(file->size) +
                                              " bytes; files of up to " + std::to_string(content_bytes_max) +
                                              " bytes are shown here, larger ones are fetched by git");
    std::vector<std::string> ids{file->blob_id};
    std::vector<std::string> texts = co_await looking.memory->repository.texts(std::move(ids));
    shown.content = to_valid_utf8(texts.front());
    shown.ref = looking.commit;
    co_return answer(shown);
}

awaitable<Response> history(Services& services, const Request& request) {
    MemoryHistory shown;
    shown.path = wanted_file(request);
    const std::int64_t limit = limit_of(request.query, 50);
    const Looking looking = co_await look(services, request);
    if (!looking.memory) co_return no_git_memory();
    std::vector<tools::GitCommit> commits =
        co_await looking.memory->repository.history(looking.commit, shown.path, limit);
    if (commits.empty()) throw missing("File", shown.path);
    shown.commits = shown_commits(std::move(commits));
    co_return answer(shown);
}

}  // namespace

std::span<const Route> memory_file_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/memory-files/directory", directory, "agents.memory_files.directory", "",
         "MemoryDirectory", "path, depth:integer, ref"},
        {Method::get, "/v1/agents/{agent_id}/memory-files/content", content, "agents.memory_files.content", "",
         "MemoryFileContent", "file_path!, ref"},
        {Method::get, "/v1/agents/{agent_id}/memory-files/history", history, "agents.memory_files.history", "",
         "MemoryHistory", "file_path!, limit:integer"},
    };
    return routes;
}

}  // namespace stele::api
