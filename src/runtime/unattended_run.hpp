#pragma once

#include "runtime/runtime.hpp"

namespace stele::runtime {

/// How a run ended that nobody waits for but a record of the store: a planned message, an item of a batch.
struct UnattendedEnd {
    RunStatus status = RunStatus::failed;  ///< completed, failed or cancelled
    std::string failure;                   ///< why it is not completed
};

/// What an UnattendedEnd says of an agent that was at work on something else all the time.
inline constexpr char agent_busy[] = "agent_busy";

/// Carries `request` out as a background run, to its end; `request.run_id` is given. Waits at most for `patience` until
/// the agent is free; a store or a queue that is full is asked again meanwhile. `on_begun` is called once the run is on
/// record. Nothing if the server stops before that: whoever keeps the record starts it anew. Throws nothing.
boost::asio::awaitable<std::optional<UnattendedEnd>> run_unattended(Runtime& runtime, TurnRequest request,
                                                                    std::chrono::milliseconds patience,
                                                                    std::function<void()> on_begun);

/// The end of a run that is in the store.
UnattendedEnd unattended_end(const Run& run);

}  // namespace stele::runtime
