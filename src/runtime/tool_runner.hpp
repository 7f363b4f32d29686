#pragma once

#include "domain/message.hpp"
#include "runtime/agent_loader.hpp"
#include "runtime/custom_tool.hpp"
#include "runtime/tool_rules.hpp"
#include "tools/other_agents.hpp"
#include "tools/working_memory.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::runtime {

struct TurnServices;

/// A call of one answer on its way: what the model wanted and what came back.
struct PreparedCall {
    std::string id;
    std::string tool;
    std::optional<std::string> arguments_json;  ///< nothing: what the model wrote is no JSON object
    std::string refusal;                        ///< not empty: why the call may not be made, for the model
    bool bad_rule = false;                      ///< refused since arguments that a rule fills in do not fit the tool
    MessageToolReturn result;
    bool made = false;                         ///< `result` is what came of it
    std::optional<CustomToolReturn> returned;  ///< of a custom tool, before its changes of memory were kept
};

/// Carries out the calls of a step on a working memory. References outlive it.
class ToolRunner {
public:
    ToolRunner(const TurnServices& services, const std::string& organization_id, const std::string& actor,
               const LoadedAgent& loaded, tools::OtherAgents& others, CallOrigin origin)
        : services_(services),
          organization_id_(organization_id),
          actor_(actor),
          loaded_(loaded),
          others_(others),
          origin_(std::move(origin)) {}

    /// True if this call leaves something behind that the step's transaction does not hold.
    bool acts_outside(const PreparedCall& call) const;

    /// Fills in every call's result: first those that may run beside others, all at once, then the rest one after
    /// another in order. A tool that fails gives a result with status error; only failures of the store are thrown.
    boost::asio::awaitable<void> run(std::vector<PreparedCall>& calls, tools::WorkingMemory& memory) const;

    /// Makes the edits of memory once more, on blocks that somebody else wrote meanwhile; other results stay.
    boost::asio::awaitable<void> rerun_edits(std::vector<PreparedCall>& calls, tools::WorkingMemory& memory) const;

    /// Turns the edits of memory among the results into failures: the store does not take them.
    static void fail_edits(std::vector<PreparedCall>& calls, const std::string& why);

    /// Gives the calls that have no result yet this one.
    static void fail_unmade(std::vector<PreparedCall>& calls, const std::string& why);

private:
    boost::asio::awaitable<void> run_one(PreparedCall& call, tools::WorkingMemory& memory) const;
    boost::asio::awaitable<void> run_builtin(PreparedCall& call, const Tool& tool, tools::WorkingMemory& memory) const;
    boost::asio::awaitable<void> run_custom(PreparedCall& call, const Tool& tool, tools::WorkingMemory& memory) const;
    boost::asio::awaitable<void> run_external(PreparedCall& call, const Tool& tool) const;
    boost::asio::awaitable<void> run_together(std::vector<PreparedCall*> calls, tools::WorkingMemory& memory) const;
    bool may_run_beside_others(const PreparedCall& call) const;

    const TurnServices& services_;
    const std::string& organization_id_;
    const std::string& actor_;
    const LoadedAgent& loaded_;
    tools::OtherAgents& others_;
    const CallOrigin origin_;
};

}  // namespace stele::runtime
