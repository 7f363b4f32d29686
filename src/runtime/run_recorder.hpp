#pragma once

#include "runtime/turn.hpp"

namespace stele::runtime {

/// Writes to the store what a background run tells its readers, in batches behind its back, until its end is written
/// too: from then on its stream can be told without the log. A store that takes nothing is tried again for a while.
/// `services` outlive it. Throws nothing.
boost::asio::awaitable<void> record_run(const TurnServices& services, std::shared_ptr<RunLog> run_log);

/// How a run ended in the form in which it is kept, and back.
RunOutcome outcome_of(const RunEnd& end);
RunEnd end_of(RunOutcome outcome);

}  // namespace stele::runtime
