#include "tools/git/git.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "tools/git/git_process.hpp"

#include <charconv>

namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr char main_ref[] = "refs/heads/main";
constexpr char field_mark = '\x1f', commit_mark = '\x1e';

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::int64_t number_of(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// "<mode> <type> <id> <size>\t<path>" -> file
std::optional<GitFile> file_of(std::string_view line) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return std::nullopt;
    std::vector<std::string_view> words;
    for (std::string_view head = line.substr(0, tab); !head.empty();) {
        const std::size_t end = std::min(head.find(' '), head.size());
        if (end > 0) words.push_back(head.substr(0, end));
        head.remove_prefix(std::min(end + 1, head.size()));
    }
    if (words.size() != 4) return std::nullopt;
    GitFile file;
    file.path = line.substr(tab + 1);
    file.blob_id = words[2];
    file.size = number_of(words[3]);
    file.regular = words[0].starts_with("100");
    return file;
}

// As fast-import reads it: quoted where anything could be taken for syntax.
std::string quoted(const std::string& path) {
    std::string made = "\"";
    for (const char c : path) {
        if (c == '"' || c == '\\') made += '\\';
        if (c == '\n')
            made += "\\n";
        else
            made += c;
    }
    return made + "\"";
}

std::string plain_name(const std::string& name) {
    std::string plain;
    for (const char c : name)
        if (c != '<' && c != '>' && c != '\n' && c != '\0') plain += c;
    return plain.empty() ? "agent" : plain;
}

// A commit as fast-import takes it.
std::string import_of(const std::string& parent, const GitAuthor& author, const std::string& message,
                      const std::vector<GitChange>& changes) {
    std::string text = std::string("commit ") + main_ref + "\n";
    text += "committer " + plain_name(author.name) + " <" + plain_name(author.email) + "> now\n";
    text += "data " + std::to_string(message.size()) + "\n" + message + "\n";
    if (!parent.empty()) text += "from " + parent + "\n";
    for (const GitChange& change : changes) {
        if (!change.text) {
            text += "D " + quoted(change.path) + "\n";
            continue;
        }
        text += "M 100644 inline " + quoted(change.path) + "\ndata " + std::to_string(change.text->size()) + "\n" +
                *change.text + "\n";
    }
    return text + "\ndone\n";
}

std::string verb_of(const std::string& service) { return service.substr(service.find('-') + 1); }

}  // namespace

awaitable<GitOutcome> GitRepository::run(std::vector<std::string> arguments, std::string input,
                                         std::string protocol) const {
    GitCall call;
    call.folder = folder_;
    call.arguments = std::move(arguments);
    call.input = std::move(input);
    call.protocol = std::move(protocol);
    co_return co_await run_git(std::move(call));
}

awaitable<std::string> GitRepository::demand(std::vector<std::string> arguments, std::string input,
                                             std::string protocol) const {
    const std::string verb = arguments.front();
    GitOutcome outcome = co_await run(std::move(arguments), std::move(input), std::move(protocol));
    if (outcome.status == 0) co_return std::move(outcome.out);
    log::error("git.failed", {{"verb", verb}, {"status", outcome.status}, {"why", first_line(outcome.why)}});
    throw Error(ErrorCode::internal, "git " + verb + " has failed");
}

awaitable<void> GitRepository::make() const {
    std::error_code ignored;
    if (std::filesystem::exists(folder_ / "refs", ignored) && std::filesystem::exists(folder_ / "HEAD", ignored))
        co_return;
    std::filesystem::create_directories(folder_, ignored);
    std::vector<std::string> arguments{"init", "--bare", "--quiet", "--initial-branch=main"};
    co_await demand(std::move(arguments));
}

awaitable<std::string> GitRepository::head() const { co_return co_await commit_of(main_ref); }

awaitable<std::string> GitRepository::commit_of(std::string ref) const {
    if (ref.empty() || ref.find('\0') != std::string::npos) co_return std::string();
    std::vector<std::string> arguments{"rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}"};
    const GitOutcome outcome = co_await run(std::move(arguments), std::string());
    co_return outcome.status == 0 ? first_line(outcome.out) : std::string();
}

awaitable<std::vector<GitFile>> GitRepository::files(std::string commit) const {
    std::vector<GitFile> files;
    if (commit.empty()) co_return files;
    std::vector<std::string> arguments{"ls-tree", "-r", "-z", "-l", "--full-tree", commit};
    const std::string out = co_await demand(std::move(arguments));
    for (std::string_view rest = out; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        if (auto file = file_of(rest.substr(0, end))) files.push_back(std::move(*file));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    co_return files;
}

awaitable<std::vector<std::string>> GitRepository::texts(std::vector<std::string> blob_ids) const {
    std::vector<std::string> texts;
    if (blob_ids.empty()) co_return texts;
    std::string input;
    for (const std::string& id : blob_ids) input += id + "\n";
    std::vector<std::string> arguments{"cat-file", "--batch"};
    const std::string out = co_await demand(std::move(arguments), std::move(input));
    // "<id> blob <size>\n<bytes>\n" each
    for (std::size_t at = 0; texts.size() < blob_ids.size();) {
        const std::size_t line = out.find('\n', at);
        if (line == std::string::npos) throw Error(ErrorCode::internal, "git cat-file gave less than it was asked for");
        const std::string head = out.substr(at, line - at);
        const auto size = static_cast<std::size_t>(number_of(std::string_view(head).substr(head.rfind(' ') + 1)));
        if (out.size() < line + 1 + size) throw Error(ErrorCode::internal, "git cat-file broke off");
        texts.push_back(out.substr(line + 1, size));
        at = line + 1 + size + 1;
    }
    co_return texts;
}

awaitable<std::vector<GitCommit>> GitRepository::history(std::string commit, std::string path,
                                                         std::int64_t limit) const {
    std::vector<GitCommit> commits;
    if (commit.empty()) co_return commits;
    std::vector<std::string> arguments{"log", "--format=%H%x1f%ct%x1f%an%x1f%B%x1e",
                                       "--max-count=" + std::to_string(limit), commit, "--"};
    if (!path.empty()) arguments.push_back(":(top,literal)" + path);
    const std::string out = co_await demand(std::move(arguments));
    for (std::string_view rest = out; !rest.empty();) {
        const std::size_t end = rest.find(commit_mark);
        if (end == std::string_view::npos) break;
        std::string_view record = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        while (record.starts_with('\n')) record.remove_prefix(1);
        const std::size_t first = record.find(field_mark), second = record.find(field_mark, first + 1),
                          third = record.find(field_mark, second + 1);
        if (third == std::string_view::npos) continue;
        GitCommit& made = commits.emplace_back();
        made.sha = record.substr(0, first);
        made.time = number_of(record.substr(first + 1, second - first - 1));
        made.author_name = record.substr(second + 1, third - second - 1);
        made.message = record.substr(third + 1);
        while (made.message.ends_with('\n')) made.message.pop_back();
    }
    co_return commits;
}

awaitable<std::string> GitRepository::commit(std::string parent, GitAuthor author, std::string message,
                                             std::vector<GitChange> changes) const {
    std::string input = import_of(parent, author, message, changes);
    std::vector<std::string> arguments{"fast-import", "--quiet", "--done", "--date-format=now"};
    co_await demand(std::move(arguments), std::move(input));
    co_return co_await head();
}

awaitable<std::string> GitRepository::advertise(std::string service, std::string protocol) const {
    std::vector<std::string> arguments{verb_of(service), "--stateless-rpc", "--http-backend-info-refs",
                                       folder_.string()};
    co_return co_await demand(std::move(arguments), std::string(), std::move(protocol));
}

awaitable<std::string> GitRepository::serve(std::string service, std::string protocol, std::string request) const {
    std::vector<std::string> arguments{verb_of(service), "--stateless-rpc", folder_.string()};
    GitOutcome outcome = co_await run(std::move(arguments), std::move(request), std::move(protocol));
    // A client that is refused something is told of it in the answer, whatever the exit code.
    if (outcome.status != 0 && outcome.out.empty()) {
        log::warn("git.refused", {{"verb", service}, {"status", outcome.status}, {"why", first_line(outcome.why)}});
        throw refused("git did not understand the request");
    }
    co_return std::move(outcome.out);
}

awaitable<void> GitRepository::serve_to(std::string service, std::string protocol, std::string request,
                                        std::function<awaitable<void>(std::string)> sink) const {
    GitCall call;
    call.folder = folder_;
    call.arguments = {verb_of(service), "--stateless-rpc", folder_.string()};
    call.input = std::move(request);
    call.protocol = std::move(protocol);
    call.sink = std::move(sink);
    const GitOutcome outcome = co_await run_git(std::move(call));
    if (outcome.status != 0)
        log::warn("git.refused", {{"verb", service}, {"status", outcome.status}, {"why", first_line(outcome.why)}});
}

}  // namespace stele::tools
