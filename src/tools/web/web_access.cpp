#include "tools/web/web_access.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/url.hpp"
#include "storage/agent_repository.hpp"
#include "tools/web/page_fetch.hpp"
#include "tools/working_memory.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::milliseconds index_patience{15'000};  // there is another way to the page

// Why a service gave no results, told to the model. Nothing of its answer: some repeat the key.
struct ServiceFailure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string meaning_of(const SearchProvider& provider, int status) {
    if (status == 403 && *provider.refusal_advice != '\0') return std::string(": ") + provider.refusal_advice;
    if (status == 401 || status == 403)
        return std::string(": the key in ") + provider.key_variable + " is not accepted";
    if (status == 402 || status == 432 || status == 433) return ": what the key's plan allows is used up";
    if (status == 429) return ": too many requests; try again later";
    return {};
}

// False for what is no web address, and for one of this network: a service has no page of it, and need not hear of it.
bool may_be_indexed(const std::string& url) {
    const auto parsed = net::parse_url(url);
    if (!parsed) return false;
    boost::system::error_code no_address;
    const auto address = boost::asio::ip::make_address(parsed->host, no_address);
    return no_address || net::is_public(address);
}

}  // namespace

awaitable<TextMap> WebAccess::secrets_of(std::string agent_id) const {
    TextMap secrets;
    storage::Rows rows =
        co_await parts_.database.query(storage::AgentRepository::variables_statement(), std::move(agent_id));
    for (const storage::SealedVariable& variable : storage::AgentRepository::variables_from_rows(std::move(rows))) {
        const bool is_key = std::any_of(search_providers().begin(), search_providers().end(),
                                        [&](const SearchProvider& each) { return variable.name == each.key_variable; });
        if (is_key) secrets.emplace_back(variable.name, parts_.sealer.open(variable.sealed_value));
    }
    co_return secrets;
}

// Nothing without a key that the service needs, or without an address. The agent's key goes to the operator's address.
std::optional<SearchAccess> WebAccess::access(const SearchProvider& provider, const TextMap& secrets) const {
    SearchAccess made;
    if (const auto found = parts_.options.services.find(provider.name); found != parts_.options.services.end())
        made = found->second;
    if (made.base_url.empty()) made.base_url = provider.default_url;
    for (const auto& [name, value] : secrets)
        if (name == provider.key_variable && !value.empty()) made.key = Secret(value);
    if (made.base_url.empty() || (*provider.key_variable != '\0' && made.key.empty())) return std::nullopt;
    // What would break a header is no key.
    if (made.key.reveal().find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return std::nullopt;
    return made;
}

const SearchProvider& WebAccess::choose(const TextMap& secrets) const {
    if (!parts_.options.search.empty()) {
        const SearchProvider* named = find_search_provider(parts_.options.search);
        if (named != nullptr && access(*named, secrets)) return *named;
        const bool needs_key = named != nullptr && *named->key_variable != '\0';
        throw ToolFailure("web_search: this server searches with " + parts_.options.search + ", and has no " +
                          (needs_key ? "key for it: set the secret " + std::string(named->key_variable) +
                                           " on the agent, or the same variable for the server"
                                     : "address of it: the operator has to set one (--searxng-url)"));
    }
    for (const SearchProvider& each : search_providers()) {  // an agent's own key before the operator's
        const bool own = std::any_of(secrets.begin(), secrets.end(),
                                     [&](const auto& secret) { return secret.first == each.key_variable; });
        if (own && access(each, secrets)) return each;
    }
    for (const SearchProvider& each : search_providers())
        if (access(each, secrets)) return each;
    throw ToolFailure(
        "web_search: no search service is set up. Set one of EXA_API_KEY, TAVILY_API_KEY and BRAVE_API_KEY as a secret "
        "of the agent or for the server, or SEARXNG_URL for the server");
}

awaitable<std::optional<IndexedPage>> WebAccess::indexed(SearchAccess access, std::string url) {
    std::string problem;
    try {
        net::ClientRequest request = exa_contents_request(access, url);
        request.total_timeout = index_patience;
        const net::ClientResponse answer = co_await parts_.services.send(std::move(request));
        if (answer.status == 200) co_return read_exa_contents(answer.body);
        problem = "status " + std::to_string(answer.status);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        problem = error.what();
    }
    log::warn("web.index_failed", {{"provider", "exa"}, {"problem", problem}});
    co_return std::nullopt;
}

awaitable<std::string> WebAccess::fetch(std::string agent_id, std::string url) {
    const TextMap secrets = co_await secrets_of(std::move(agent_id));
    std::optional<SearchAccess> key = access(exa, secrets);
    if (key && may_be_indexed(url)) {
        const std::optional<IndexedPage> page = co_await indexed(std::move(*key), url);
        if (page) co_return shown(*page);
    }
    FetchedPage page = co_await fetch_page(parts_.egress, std::move(url));
    std::function<std::string()> read = [page = std::move(page)] { return readable(page); };
    std::string text = co_await parts_.workers.run(std::move(read));
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
        co_return "The page holds no text. It may be made by scripts, which are not run.";
    co_return text;
}

// Throws ServiceFailure with what the model is told; Error{cancelled} as it comes.
awaitable<std::vector<SearchResult>> WebAccess::page_of(const SearchProvider& provider, const SearchAccess& access,
                                                        const SearchQuery& query, std::size_t page) {
    net::ClientRequest request = provider.request(access, query, page);
    net::ClientResponse answer;
    try {
        answer = co_await parts_.services.send(std::move(request));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        throw ServiceFailure(std::string(provider.title) + " can't be reached: " + error.what());
    }
    if (answer.status != 200)
        throw ServiceFailure(std::string(provider.title) + " answered with status " + std::to_string(answer.status) +
                             meaning_of(provider, answer.status));
    auto some = provider.read(answer.body);
    if (!some) throw ServiceFailure(std::string(provider.title) + " gave an answer that can't be read");
    co_return std::move(*some);
}

awaitable<std::vector<SearchResult>> WebAccess::results(const SearchProvider& provider, SearchAccess access,
                                                        SearchQuery query) {
    std::vector<SearchResult> all;
    for (std::size_t page = 0; page < provider.pages_max && all.size() < query.results; ++page) {
        std::vector<SearchResult> some;
        try {
            some = co_await page_of(provider, access, query, page);
        } catch (const ServiceFailure& failure) {
            if (page == 0) throw;
            log::warn("web.search_cut", {{"provider", provider.name}, {"page", page}, {"problem", failure.what()}});
            break;  // what there is will do
        }
        if (some.empty()) break;
        const std::size_t before = all.size();
        for (SearchResult& each : some) all.push_back(std::move(each));
        narrow(query, all);
        if (all.size() == before) break;  // the same page again
    }
    co_return all;
}

awaitable<std::string> WebAccess::search(std::string agent_id, SearchQuery query) {
    const TextMap secrets = co_await secrets_of(std::move(agent_id));
    const SearchProvider& provider = choose(secrets);
    SearchAccess key = *access(provider, secrets);
    const std::string words = query.query;
    std::string failure;
    try {
        const std::vector<SearchResult> found = co_await results(provider, std::move(key), std::move(query));
        co_return shown(words, found);
    } catch (const ServiceFailure& refused) {
        failure = refused.what();
    }
    log::warn("web.search_failed", {{"provider", provider.name}, {"problem", failure}});
    co_return shown_failure(words, failure);
}

}  // namespace stele::tools::web
