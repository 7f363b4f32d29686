#include "runtime/sleeptime.hpp"

#include "base/log.hpp"
#include "runtime/runtime.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t messages_max = 500;  // of one reading; older ones are passed over
constexpr std::size_t transcript_bytes_max = 200'000;

constexpr char preamble[] =
    "[This message comes by itself while the agent whose memory you look after rests. Below is what was said to it "
    "(user) and by it (assistant) since you last looked. Bring the memory blocks up to date and end your turn; nobody "
    "waits for an answer.]\n\n";

// Said by the runtime to keep the loop going, not by anybody.
bool is_event(const Message& message) {
    const std::string text = text_of(message);
    return message.role == MessageRole::user && text.starts_with("{") &&
           (text.find("\"type\": \"heartbeat\"") != std::string::npos ||
            text.find("\"type\": \"login\"") != std::string::npos);
}

std::string line(const Message& message) {
    const std::string text = is_event(message) ? std::string() : spoken_text(message);
    return text.empty() ? text : std::string(to_string(message.role)) + ": " + text + "\n";
}

// Lines with their numbers, by which store_memories names them.
std::string numbered(const std::vector<Message>& messages) {
    std::string lines;
    std::size_t number = 0;
    for (const Message& message : messages) {
        const std::string next = line(message);
        if (!next.empty()) lines += std::to_string(number++) + ' ' + next;
        if (lines.size() > transcript_bytes_max) break;
    }
    return preamble + lines;
}

}  // namespace

/// What one wakening has handed out, and to which runs.
struct Sleeptime::Reading {
    std::string group_id;
    std::int64_t from = 0, to = 0;  ///< positions of the last message that was read before, and of the last of these
    std::string last_id;            ///< of the latter
    std::vector<std::shared_ptr<RunLog>> runs;
};

std::size_t messages_to_read(const Group& group, std::size_t unread) {
    if (group.manager_type != ManagerType::voice_sleeptime) return unread;
    const auto most = static_cast<std::size_t>(group.max_message_buffer_length.value_or(voice_buffer_max_default));
    const auto least = static_cast<std::size_t>(group.min_message_buffer_length.value_or(voice_buffer_min_default));
    return unread > most ? unread - least : 0;
}

std::string sleeptime_input(const std::vector<Message>& messages) {
    std::string lines;
    bool cut = false;
    for (auto message = messages.rbegin(); message != messages.rend() && !cut; ++message) {
        const std::string next = line(*message);
        cut = lines.size() + next.size() > transcript_bytes_max && !lines.empty();
        if (!cut) lines.insert(0, next);
    }
    return preamble + std::string(cut ? "[What was said before is too long to be shown here.]\n" : "") + lines;
}

awaitable<std::optional<std::vector<std::string>>> Sleeptime::after_turn(const TurnRequest& turn) {
    std::optional<std::vector<std::string>> begun;
    if (turn.run_type == sleeptime_run_type) co_return begun;
    try {
        const std::vector<Group> groups = co_await services_.groups.managed_by(turn.agent_id);
        for (const Group& group : groups) {
            if (!works_asleep(group) || group.agent_ids.empty()) continue;
            const bool due =
                group.manager_type == ManagerType::voice_sleeptime ||
                co_await services_.groups.count_turn(group.id, group.sleeptime_agent_frequency.value_or(1));
            if (!due) continue;
            const auto runs = co_await wake(turn, group);
            if (!runs) continue;
            if (!begun) begun.emplace();
            begun->insert(begun->end(), runs->begin(), runs->end());
        }
    } catch (const std::exception& error) {
        log::warn("sleeptime.not_woken", {{"agent_id", turn.agent_id}, {"why", error.what()}});
    }
    co_return begun;
}

awaitable<std::optional<std::vector<std::string>>> Sleeptime::wake(const TurnRequest& turn, Group group) {
    Reading reading;
    reading.group_id = group.id;
    reading.from = co_await begin_at(group.id);
    std::vector<Message> messages = co_await services_.groups.transcript(turn.agent_id, reading.from, messages_max);
    messages.resize(messages_to_read(group, messages.size()));
    if (messages.empty()) co_return std::nullopt;
    reading.to = messages.back().position;
    reading.last_id = messages.back().id;
    const bool voice = group.manager_type == ManagerType::voice_sleeptime;
    InputMessage input;
    MessageContent content;
    content.parts.push_back(text_part(voice ? numbered(messages) : sleeptime_input(messages)));
    input.role = std::string("user");
    input.content = std::move(content);
    std::vector<std::string> ids;
    for (const std::string& agent_id : group.agent_ids) {
        TurnRequest request;
        request.organization_id = turn.organization_id;
        request.user_id = turn.user_id;
        request.agent_id = agent_id;
        request.body.messages = std::vector<InputMessage>(1, input);
        request.run_type = sleeptime_run_type;
        request.background = true;
        request.request_id = turn.request_id;
        request.depth = turn.depth + 1;
        try {
            auto run_log = co_await services_.runtime->start(std::move(request));
            ids.push_back(run_log->run_id());
            reading.runs.push_back(std::move(run_log));
        } catch (const Error& error) {
            log::warn("sleeptime.not_woken", {{"agent_id", agent_id}, {"group_id", group.id}, {"why", error.what()}});
        }
    }
    if (reading.runs.empty()) co_return std::nullopt;
    const bool all_began = reading.runs.size() == group.agent_ids.size();
    if (all_began) {
        begin(reading);
        boost::asio::co_spawn(co_await boost::asio::this_coro::executor, note_when_read(std::move(reading)),
                              boost::asio::detached);
    }
    co_return ids;
}

// What is being read is not handed out twice; what one reading fails on, a later one does not skip. The store is looked
// at last: a reading leaves the map only after it has been noted there.
awaitable<std::int64_t> Sleeptime::begin_at(std::string group_id) const {
    if (const auto handed_to = handed_out(group_id)) co_return *handed_to;
    co_return co_await services_.groups.processed(std::move(group_id));
}

std::optional<std::int64_t> Sleeptime::handed_out(const std::string& group_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = in_flight_.find(group_id);
    return found == in_flight_.end() ? std::nullopt : std::optional(found->second.handed_to);
}

void Sleeptime::begin(const Reading& reading) {
    const std::lock_guard lock(mutex_);
    InFlight& group = in_flight_[reading.group_id];
    ++group.readings;
    group.handed_to = reading.to;
}

void Sleeptime::end(const Reading& reading) {
    const std::lock_guard lock(mutex_);
    const auto group = in_flight_.find(reading.group_id);
    if (--group->second.readings == 0) in_flight_.erase(group);
}

awaitable<void> Sleeptime::note_when_read(Reading reading) {
    bool read = true;
    for (const std::shared_ptr<RunLog>& run : reading.runs) {
        const RunEnd end = co_await wait_for_end(run);
        read = read && !end.failure && status_of(end.reason) == RunStatus::completed;
    }
    storage::Transaction transaction;
    services_.groups.note_processed(transaction, reading.group_id, reading.from, reading.last_id, reading.to);
    try {
        if (read) co_await services_.database.commit(std::move(transaction));
    } catch (const Error& error) {  // it is read once more then
        log::warn("sleeptime.not_noted", {{"group_id", reading.group_id}, {"why", error.what()}});
    }
    end(reading);
}

}  // namespace stele::runtime
