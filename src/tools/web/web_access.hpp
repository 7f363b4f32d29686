#pragma once

#include "base/seal.hpp"
#include "base/worker_threads.hpp"
#include "domain/json.hpp"
#include "storage/database.hpp"
#include "tools/web/search.hpp"

#include <map>

namespace stele::tools::web {

/// What the operator has set up.
struct WebOptions {
    std::string search;  ///< name of the provider to search with; empty: the first that can be used
    std::map<std::string, SearchAccess>
        services;  ///< by provider; one that is not there is at its default address, without key
};

/// The web for agents: pages and searches. Addresses that a model names are reached through `egress`, to public
/// addresses alone; search services, whose addresses the operator has set, through `services`. Keys are the agent's
/// own secrets, else the operator's; they are in no error and no log. Thread-safe; what it refers to outlives it.
class WebAccess {
public:
    struct Parts {
        storage::Database& database;
        const Sealer& sealer;
        net::HttpClient& egress;
        net::HttpClient& services;
        WorkerThreads& workers;
        WebOptions options;
    };

    explicit WebAccess(Parts parts) : parts_(std::move(parts)) {}

    /// With a key for Exa what its index holds of the page, as JSON (title, published_date, author, text); without one,
    /// or if it holds nothing, the page as it is fetched now, as Markdown. Throws ToolFailure, for the model.
    boost::asio::awaitable<std::string> fetch(std::string agent_id, std::string url);

    /// JSON with the results, or with why the service gave none. Throws ToolFailure if there is no service to ask.
    boost::asio::awaitable<std::string> search(std::string agent_id, SearchQuery query);

private:
    boost::asio::awaitable<TextMap> secrets_of(std::string agent_id) const;
    std::optional<SearchAccess> access(const SearchProvider& provider, const TextMap& secrets) const;
    const SearchProvider& choose(const TextMap& secrets) const;
    boost::asio::awaitable<std::optional<IndexedPage>> indexed(SearchAccess access, std::string url);
    boost::asio::awaitable<std::vector<SearchResult>> page_of(const SearchProvider& provider,
                                                              const SearchAccess& access, const SearchQuery& query,
                                                              std::size_t page);
    boost::asio::awaitable<std::vector<SearchResult>> results(const SearchProvider& provider, SearchAccess access,
                                                              SearchQuery query);

    Parts parts_;
};

}  // namespace stele::tools::web
