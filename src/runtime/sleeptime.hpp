#pragma once

#include "domain/group.hpp"
#include "domain/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <mutex>
#include <unordered_map>

namespace stele::runtime {

class RunLog;
struct TurnRequest;
struct TurnServices;

/// metadata.run_type of a run in which an agent reads what another one has said. It wakes nobody itself.
inline constexpr char sleeptime_run_type[] = "sleeptime";

/// Wakes the agents that look after the memory of another one, behind its turns and without delaying it: each wakening
/// is an ordinary background run on what was said since they last read. What a run that failed was to read is handed
/// out again at the next wakening; so is what a crash cut off. Thread-safe; `services` outlive it.
class Sleeptime {
public:
    explicit Sleeptime(const TurnServices& services) : services_(services) {}

    /// Behind a turn that has ended well. The runs that it has begun, if any; nothing for an agent without such a
    /// group. Throws nothing: what can't be begun now is read the next time.
    boost::asio::awaitable<std::optional<std::vector<std::string>>> after_turn(const TurnRequest& turn);

private:
    struct Reading;

    boost::asio::awaitable<std::optional<std::vector<std::string>>> wake(const TurnRequest& turn, Group group);
    boost::asio::awaitable<void> note_when_read(Reading reading);
    boost::asio::awaitable<std::int64_t> begin_at(std::string group_id) const;
    std::optional<std::int64_t> handed_out(const std::string& group_id) const;
    void begin(const Reading& reading);
    void end(const Reading& reading);

    const TurnServices& services_;
    mutable std::mutex mutex_;
    struct InFlight {
        int readings = 0;
        std::int64_t handed_to = 0;  ///< position of the last message that was handed out
    };
    std::unordered_map<std::string, InFlight> in_flight_;  ///< by group
};

/// How many of `unread` messages, the oldest ones, the members of a group are to read now; 0: none yet.
std::size_t messages_to_read(const Group& group, std::size_t unread);

/// What the members are told: what to do, and `messages` as lines "role: text".
std::string sleeptime_input(const std::vector<Message>& messages);

}  // namespace stele::runtime
