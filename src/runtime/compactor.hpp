#pragma once

#include "domain/compaction.hpp"
#include "runtime/agent_loader.hpp"
#include "runtime/compaction_plan.hpp"
#include "runtime/senders.hpp"
#include "runtime/summarizer.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace stele::runtime {

struct TurnServices;

struct CompactionOrder {
    CompactionSettings settings;
    llm::ResolvedModel model;  ///< the agent's own
    std::string handle;        ///< of that model
    std::string user_id;
    std::optional<std::string> run_id;           ///< in which it happens
    std::optional<CompactionStats> cause;        ///< trigger and tokens before; nothing: it was asked for
    SenderMarks sender_marks;                    ///< so that a summary knows who said what
    std::optional<std::int64_t> messages_max{};  ///< see CompactionInput
    double tokens_per_estimate = 1;              ///< what this model's tokenizer makes of an estimated token
};

/// A summary that is ready to take the place of messages, and what it changes.
struct Compaction {
    Message summary;         ///< to be stored; stands at `last`
    std::int64_t first = 0;  ///< context positions that leave the window
    std::int64_t last = 0;
    Eviction eviction;  ///< the same as places in the loaded context
    std::string text;   ///< the summary without its package
    std::string written_by;
    std::size_t messages_before = 0;  ///< in the window, the system message included
    std::size_t messages_after = 0;
    CompactionStats stats;
};

/// Decides what leaves the context of `loaded` and has the summary written (summarizer.hpp). Stores nothing. Nothing if
/// the window holds only what must stay. Throws by cancellation alone. References outlive the call.
boost::asio::awaitable<std::optional<Compaction>> write_compaction(llm::Catalogue& catalogue, const LoadedAgent& loaded,
                                                                   CompactionOrder order);

/// Makes the loaded context what it is after `compaction`, and compiles its system message anew.
void apply_compaction(const Compaction& compaction, LoadedAgent& loaded);

/// Adds what makes `compaction` true in the store; `after` is the agent as apply_compaction has left it.
void add_compaction(storage::Transaction& transaction, const TurnServices& services, const std::string& organization_id,
                    const Compaction& compaction, const LoadedAgent& after);

}  // namespace stele::runtime
