#pragma once

#include "tools/git/git.hpp"

namespace stele::tools {

/// A call of git in the repository `folder`.
struct GitCall {
    std::filesystem::path folder;
    std::vector<std::string> arguments;
    std::string input;
    std::string protocol;                                           ///< "version=2" or empty
    std::function<boost::asio::awaitable<void>(std::string)> sink;  ///< takes the output; empty: it is in the outcome
};

/// Runs it to its end. Throws as GitRepository does; Error{too_large} for more output than an outcome may hold. An
/// exception of the sink ends the process and comes through.
boost::asio::awaitable<GitOutcome> run_git(GitCall call);

}  // namespace stele::tools
