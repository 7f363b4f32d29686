#pragma once

#include "runtime/awaited_run.hpp"
#include "runtime/group_decision.hpp"

namespace stele::runtime {

/// The talk of a group on one request: lets its agents speak, each in an ordinary run of its own, passes on what they
/// say, and tells all of it to one log. The decisions are next_in_talk's. An agent that fails loses its turn; the talk
/// fails only if nobody could speak. Lives on one thread, in its own coroutine; references outlive it.
class GroupTalk {
public:
    GroupTalk(const TurnServices& services, const TurnRequest& request, const Group& group, RunLog& run_log)
        : services_(services), request_(request), group_(group), log_(run_log) {}

    /// Talks until the end, or until the group is deleted: then nobody else is asked. Throws Error{cancelled},
    /// Error{not_found} if the group was gone before anybody could speak, and failures of the store.
    boost::asio::awaitable<RunEnd> carry_out();

private:
    boost::asio::awaitable<bool> group_exists() const;
    boost::asio::awaitable<std::vector<Speaker>> speakers(std::vector<std::string> ids) const;
    boost::asio::awaitable<std::vector<Speaker>> known(const std::vector<Message>& messages) const;
    boost::asio::awaitable<std::string> let_speak(std::string agent_id);
    boost::asio::awaitable<std::string> let_manager_choose(TalkState state);
    boost::asio::awaitable<std::string> speak(TurnRequest turn, bool shown);
    boost::asio::awaitable<std::vector<InputMessage>> unheard_by(std::string agent_id) const;
    TurnRequest turn_of(const std::string& agent_id) const;
    std::vector<InputMessage> new_input();

    const TurnServices& services_;
    const TurnRequest& request_;
    const Group& group_;
    RunLog& log_;
    std::vector<Speaker> members_;
    bool input_given_ = false;  ///< somebody has taken what the request brings
    bool spoken_ = false;
    std::optional<Error> failure_;  ///< the last one
    RunEnd end_;
};

}  // namespace stele::runtime
