#pragma once

#include "domain/run.hpp"
#include "storage/database.hpp"

#include <chrono>

namespace stele::storage {

/// Consecutive events of a run.
struct RunEvents {
    std::int64_t first_seq = 0;
    std::vector<std::string> lines;  ///< one event each, compact JSON

    std::int64_t last_seq() const { return first_seq + static_cast<std::int64_t>(lines.size()) - 1; }
};

/// The events of background runs, kept so that a stream can be taken up again.
class RunEventRepository {
public:
    explicit RunEventRepository(Database& database) : database_(database) {}

    static constexpr auto kept_for = std::chrono::hours(3);
    static constexpr std::int64_t events_max = 10'000;  ///< of one run; older ones make room

    /// The events behind `seq`, some of them, in order; nothing when there are no more. The first may be one that is
    /// not next to `seq`: those between are no longer kept.
    boost::asio::awaitable<std::optional<RunEvents>> next(std::string run_id, std::int64_t seq) const;

    /// How the run ended, if that was written.
    boost::asio::awaitable<std::optional<RunOutcome>> outcome(std::string run_id) const;

    void add(Transaction& transaction, const std::string& run_id, const RunEvents& events) const;
    void add_outcome(Transaction& transaction, const std::string& run_id, std::int64_t next_seq,
                     const RunOutcome& outcome) const;

    /// Drops what was written longer ago than it is kept.
    void forget_old(Transaction& transaction) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
