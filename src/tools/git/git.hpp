#pragma once

#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Bare repositories on this machine, by way of the program git, each call a child process that sees nothing of the
/// server's own settings.
namespace stele::tools {

/// What a call of git came to.
struct GitOutcome {
    int status = 0;  ///< exit code, or -n for signal n
    std::string out;
    std::string why;  ///< the beginning of its standard error
};

/// A file of a commit.
struct GitFile {
    std::string path;
    std::string blob_id;
    std::int64_t size = 0;
    bool regular = true;  ///< no symbolic link, no submodule
};

struct GitCommit {
    std::string sha;
    std::string message;
    std::int64_t time = 0;  ///< seconds since 1970
    std::string author_name;
};

/// A change of one file: its new text, or nothing if it goes.
struct GitChange {
    std::string path;
    std::optional<std::string> text;
};

struct GitAuthor {
    std::string name, email;
};

/// One repository. Calls that change it must not run at the same time: the caller sees to that. Every call throws
/// Error{unavailable} if git can't be started, Error{timed_out} if it doesn't end in time and Error{internal} if it
/// fails where it must not.
class GitRepository {
public:
    explicit GitRepository(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// Makes it if it is not there: bare, with the branch main. Half of one that a crash has left is made whole.
    boost::asio::awaitable<void> make() const;

    /// The commit at the end of main; empty if there is none yet.
    boost::asio::awaitable<std::string> head() const;

    /// The commit that a user's `ref` (a commit, branch or tag) means; empty if it means none.
    boost::asio::awaitable<std::string> commit_of(std::string ref) const;

    /// All files of a commit.
    boost::asio::awaitable<std::vector<GitFile>> files(std::string commit) const;

    /// The texts of `blob_ids`, in their order.
    boost::asio::awaitable<std::vector<std::string>> texts(std::vector<std::string> blob_ids) const;

    /// The commits up to `commit`, the newest first, that touched `path` (empty: any).
    boost::asio::awaitable<std::vector<GitCommit>> history(std::string commit, std::string path,
                                                           std::int64_t limit) const;

    /// Adds a commit with `changes` to main, behind `parent` (empty: the first one), and returns it.
    boost::asio::awaitable<std::string> commit(std::string parent, GitAuthor author, std::string message,
                                               std::vector<GitChange> changes) const;

    /// `service`: git-upload-pack or git-receive-pack. What a client is told first (gitprotocol-http). `protocol`: of
    /// its header Git-Protocol.
    boost::asio::awaitable<std::string> advertise(std::string service, std::string protocol) const;

    /// Answers one request of a client.
    boost::asio::awaitable<std::string> serve(std::string service, std::string protocol, std::string request) const;

    /// The same for answers of any size, piece by piece to `sink`.
    boost::asio::awaitable<void> serve_to(std::string service, std::string protocol, std::string request,
                                          std::function<boost::asio::awaitable<void>(std::string)> sink) const;

private:
    boost::asio::awaitable<GitOutcome> run(std::vector<std::string> arguments, std::string input,
                                           std::string protocol = {}) const;
    boost::asio::awaitable<std::string> demand(std::vector<std::string> arguments, std::string input = {},
                                               std::string protocol = {}) const;

    std::filesystem::path folder_;
};

}  // namespace stele::tools
