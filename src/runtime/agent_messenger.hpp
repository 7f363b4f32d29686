#pragma once

#include "tools/other_agents.hpp"

#include <memory>

namespace stele::runtime {

class RunLog;
struct TurnRequest;
struct TurnServices;

/// Messages from the agent of one turn to others, each an ordinary run of the receiver. Belongs to the turn.
class AgentMessenger final : public tools::OtherAgents {
public:
    /// References outlive it: the turn's own. `waiting`: the lease that waits for the answers, as of CallOrigin; empty:
    /// that of the sender's conversation.
    AgentMessenger(const TurnServices& services, const TurnRequest& sender, std::string waiting = {})
        : services_(services), sender_(sender), waiting_(std::move(waiting)) {}

    boost::asio::awaitable<std::vector<tools::AgentReply>> ask(std::vector<std::string> agent_ids,
                                                               std::string message) override;
    boost::asio::awaitable<std::vector<tools::AgentReply>> ask_group(std::string message) override;
    boost::asio::awaitable<void> tell(std::string agent_id, std::string message) override;
    boost::asio::awaitable<std::vector<std::string>> matching(std::vector<std::string> match_all,
                                                              std::vector<std::string> match_some) override;

    /// A message that a message led to, and so on: further than this none is delivered, so that agents that answer
    /// each other by messages come to an end.
    static constexpr int depth_max = 5;
    static constexpr std::size_t receivers_max = 100;  ///< of one message

private:
    struct Question;

    boost::asio::awaitable<TurnRequest> request_to(std::string agent_id, std::string message, bool awaited) const;
    boost::asio::awaitable<Question> begin(std::string agent_id, std::string message, bool in_group) const;
    boost::asio::awaitable<std::vector<tools::AgentReply>> ask_all(std::vector<std::string> agent_ids,
                                                                   std::string message, bool in_group);

    const TurnServices& services_;
    const TurnRequest& sender_;
    const std::string waiting_;
};

/// What the agent of a run that has ended said, in order.
std::vector<std::string> spoken_in(const RunLog& run_log);

}  // namespace stele::runtime
