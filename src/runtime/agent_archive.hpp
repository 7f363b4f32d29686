#pragma once

#include "runtime/archive_service.hpp"
#include "tools/archival_memory.hpp"

namespace stele::runtime {

/// What agents keep in their archives: for their tools, and for the routes below /v1/agents. Thread-safe; what it
/// refers to outlives it.
class AgentArchive final : public tools::ArchivalMemory {
public:
    struct Parts {
        storage::Database& database;
        const storage::ArchiveRepository& archives;
        const ArchiveService& archive_service;
        const PassageService& passages;
    };

    explicit AgentArchive(Parts parts) : parts_(parts) {}

    /// Stores it in the agent's archive, which is made if there is none.
    boost::asio::awaitable<std::vector<Passage>> add(Agent agent, std::string actor,
                                                     PassageCreateRequest request) const;

    struct Found {
        std::vector<ArchivalMemorySearchResult> results;
        bool degraded = false;
    };
    boost::asio::awaitable<Found> look_up(Agent agent, tools::ArchivalQuery query) const;

    boost::asio::awaitable<void> insert(Agent agent, std::string actor, std::string text,
                                        std::vector<std::string> tags) override;
    boost::asio::awaitable<std::vector<ArchivalMemorySearchResult>> search(Agent agent,
                                                                           tools::ArchivalQuery query) override;

private:
    Parts parts_;
};

/// The bounds of a search in `timezone`. Throws Error{invalid_argument} on `where` (twice: for start and end) for what
/// is no ISO 8601 date. Empty texts are no bounds.
void set_bounds(storage::PassageFilter& filter, const std::optional<std::string>& start, const char* start_where,
                const std::optional<std::string>& end, const char* end_where, const std::string& timezone);

}  // namespace stele::runtime
