#pragma once

#include "domain/access_token.hpp"
#include "domain/audit.hpp"
#include "net/http.hpp"
#include "storage/page.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::api {

struct FromTool;

/// The parameters of a request's query string. A list is its key repeated, "k[]=v" included; an empty value counts as
/// absent: that is how some clients send null. Each reader throws Error{invalid_argument} on "query.<name>" for a
/// bad value.
class Query {
public:
    /// Throws Error{invalid_argument} for a broken escape or text that is no UTF-8.
    explicit Query(std::string_view text);

    bool has(std::string_view name) const;
    std::optional<std::string> text(std::string_view name) const;
    std::vector<std::string> list(std::string_view name) const;
    std::optional<bool> flag(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name) const;
    std::vector<std::int64_t> integers(std::string_view name) const;

    /// A date or time; `end`: a date alone means the last moment of its day.
    std::optional<Timestamp> time(std::string_view name, bool end) const;

private:
    std::vector<std::pair<std::string, std::string>> values_;
};

/// One request on its way through a handler. Owned by its connection's coroutine, which outlives the handler.
struct Request {
    net::HttpRequest& http;
    Query query;
    std::vector<std::pair<std::string_view, std::string>> path_values;  ///< by the names of the route's template
    std::string organization_id = default_organization_id;
    std::string user_id = default_user_id;
    bool generation_2 = false;  ///< of the client: SDK 1.x, see the rule at client_generation
    std::string request_id;
    std::optional<std::string> idempotency_key;
    std::shared_ptr<FromTool> from_tool;         ///< null for any other request, see tool_caller.hpp
    std::shared_ptr<const AccessToken> token{};  ///< null without; see token_rules.hpp

    const std::string& body() const { return http.body; }

    /// The decoded value of a path parameter.
    const std::string& path(std::string_view name) const;

    /// The same for an id; throws Error{invalid_argument} in the API's shape when it is no "<prefix>-<uuid>".
    const std::string& path_id(std::string_view name, std::string_view prefix) const;
};

/// Defaults of one list.
struct ListDefaults {
    std::int64_t limit = 50;
    bool ascending = false;
    std::vector<std::string_view> order_by = {"created_at"};
    std::int64_t limit_max = 1'000;
    bool refuse_above_max = false;  ///< else the limit is capped silently
};

/// The paging parameters: before, after, limit, order (older: ascending), order_by (older: sort_by).
storage::Page page_of(const Query& query, const ListDefaults& defaults);

/// `page` of a list of messages that runs in its order, for a repository whose `after` always means later: under
/// descending order either cursor alone gives what is older, and a lone `before` gives the rows nearest to it.
storage::Page in_time_order(storage::Page page);

/// True for a client of SDK generation 1.x (or none at all): it gets relationships of agents only when it asks.
bool is_generation_2(const net::Headers& headers);

}  // namespace stele::api
