#pragma once

#include "tools/sandbox/fork_server.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <string>

namespace stele::tools {

/// How the exchange with one forked process went.
struct Exchange {
    enum class End : std::uint8_t {
        answered,
        crashed,        ///< ended without an answer
        out_of_memory,  ///< ended by the kernel, when the sandbox had used up its own
        timed_out,      ///< and was killed
        too_large,      ///< announced an answer over answer_bytes_max
        not_forked,     ///< nothing of the call has run; `complaint` tells why, as far as that is known
    };
    End end = End::not_forked;
    std::string answer;     ///< of the process: JSON, if its author let it be
    int exit_code = 0;      ///< if it crashed, as of Child::wait
    std::string complaint;  ///< of a fork that failed
    std::string out, err;
};

/// Has `server` fork for one request and waits for the answer. However this ends, also by cancellation, no process of
/// the call is left alive. On the caller's executor. `server` outlives the call.
boost::asio::awaitable<Exchange> exchange(ForkServer& server, std::string request,
                                          std::chrono::milliseconds time_limit);

}  // namespace stele::tools
