#pragma once

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace stele::tools {

/// What an agent answered to a message of another.
struct AgentReply {
    std::string agent_id;
    std::vector<std::string> texts;  ///< what it said, in order; none: it said nothing
    std::string failure;             ///< not empty: why it could not answer
};

/// The way from a tool to the other agents of its organisation. Each message is an ordinary run of the receiver: it
/// waits behind what the receiver works on, and nobody is locked meanwhile. Belongs to the run that calls the tool.
class OtherAgents {
public:
    virtual ~OtherAgents() = default;

    /// Delivers `message` to each and waits for all answers, which come in the order of `agent_ids`. An agent that
    /// fails, or that can't be waited for, says so in its reply.
    virtual boost::asio::awaitable<std::vector<AgentReply>> ask(std::vector<std::string> agent_ids,
                                                                std::string message) = 0;

    /// The same for all of the group that the caller leads in this run.
    virtual boost::asio::awaitable<std::vector<AgentReply>> ask_group(std::string message) = 0;

    /// Delivers `message` and waits for nothing. Throws ToolFailure if it can't be delivered.
    virtual boost::asio::awaitable<void> tell(std::string agent_id, std::string message) = 0;

    /// Ids of the agents with all tags of `match_all` and at least one of `match_some` (empty: no such demand), the
    /// caller left out. Throws ToolFailure for too many.
    virtual boost::asio::awaitable<std::vector<std::string>> matching(std::vector<std::string> match_all,
                                                                      std::vector<std::string> match_some) = 0;
};

}  // namespace stele::tools
