#include "storage/run_event_repository.hpp"

namespace stele::storage {
namespace {

constexpr Statement select_next{"run_event.next",
                                "SELECT first_seq, payload FROM run_event"
                                " WHERE run_id = $1 AND last_seq > $2 AND is_end = 0 ORDER BY first_seq LIMIT 1"};
constexpr Statement select_outcome{"run_event.outcome",
                                   "SELECT payload FROM run_event WHERE run_id = $1 AND is_end = 1"};
constexpr Statement insert_row{"run_event.add",
                               "INSERT INTO run_event (run_id, first_seq, last_seq, is_end, payload, created_at)"
                               " VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Statement delete_before{"run_event.make_room",
                                  "DELETE FROM run_event WHERE run_id = $1 AND last_seq <= $2 AND is_end = 0"};
constexpr Statement delete_old{"run_event.forget_old", "DELETE FROM run_event WHERE created_at < $1"};

// JSON in compact form holds no line break.
std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return lines;
}

}  // namespace

boost::asio::awaitable<std::optional<RunEvents>> RunEventRepository::next(std::string run_id, std::int64_t seq) const {
    const Rows rows = co_await database_.query(select_next, std::move(run_id), seq);
    if (rows.empty()) co_return std::nullopt;
    RunEvents events;
    events.first_seq = rows.front().integer(0);
    events.lines = split(rows.front().text(1));
    if (events.first_seq <= seq) {
        events.lines.erase(events.lines.begin(), events.lines.begin() + (seq - events.first_seq + 1));
        events.first_seq = seq + 1;
    }
    co_return events;
}

boost::asio::awaitable<std::optional<RunOutcome>> RunEventRepository::outcome(std::string run_id) const {
    const Rows rows = co_await database_.query(select_outcome, std::move(run_id));
    if (rows.empty()) co_return std::nullopt;
    co_return decode_stored<RunOutcome>(rows.front().text(0));
}

void RunEventRepository::add(Transaction& transaction, const std::string& run_id, const RunEvents& events) const {
    transaction.add(insert_row, run_id, events.first_seq, events.last_seq(), 0, joined(events.lines), to_micros(now()));
    if (events.last_seq() > events_max) transaction.add(delete_before, run_id, events.last_seq() - events_max);
}

void RunEventRepository::add_outcome(Transaction& transaction, const std::string& run_id, std::int64_t next_seq,
                                     const RunOutcome& outcome) const {
    transaction.add(insert_row, run_id, next_seq, next_seq - 1, 1, to_json(outcome), to_micros(now()));
}

void RunEventRepository::forget_old(Transaction& transaction) const {
    transaction.add(delete_old, to_micros(now() - kept_for));
}

std::vector<Statement> RunEventRepository::statements() {
    return {select_next, select_outcome, insert_row, delete_before, delete_old};
}

}  // namespace stele::storage
