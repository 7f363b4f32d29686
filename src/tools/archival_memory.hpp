#pragma once

#include "domain/agent.hpp"
#include "domain/passage.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::tools {

/// What a search of an agent's archive is asked for.
struct ArchivalQuery {
    std::string text;
    std::vector<std::string> tags;
    std::string tag_match_mode = "any";         ///< any or all
    std::optional<std::int64_t> top_k;          ///< nothing: the default
    std::optional<std::string> start_datetime;  ///< ISO 8601; without an offset: of the agent's timezone
    std::optional<std::string> end_datetime;    ///< a date alone is its whole day
};

/// The archive of an agent, as its tools reach it.
class ArchivalMemory {
public:
    virtual ~ArchivalMemory() = default;

    /// Stores a text; the agent's first one makes its archive. Throws Error{invalid_argument} for a text that is
    /// nothing.
    virtual boost::asio::awaitable<void> insert(Agent agent, std::string actor, std::string text,
                                                std::vector<std::string> tags) = 0;

    /// The best first. Throws Error{invalid_argument} for a bound that is no date.
    virtual boost::asio::awaitable<std::vector<ArchivalMemorySearchResult>> search(Agent agent,
                                                                                   ArchivalQuery query) = 0;
};

}  // namespace stele::tools
