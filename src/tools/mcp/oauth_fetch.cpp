#include "tools/mcp/oauth_fetch.hpp"

#include "tools/mcp/oauth_metadata.hpp"
#include "tools/mcp/oauth_request.hpp"
#include "tools/mcp/rpc.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

using boost::asio::awaitable;

constexpr std::size_t body_bytes_max = 256u << 10;
constexpr auto fetch_patience = std::chrono::milliseconds(10'000);

}  // namespace

awaitable<OauthFetch::Answer> OauthFetch::send(net::ClientRequest request) const {
    const std::string where = request.url.substr(0, std::min(request.url.find('?'), std::size_t{200}));
    if (const std::string problem = endpoint_problem(request.url, private_addresses); !problem.empty())
        throw Error(ErrorCode::permission_denied, "The login leads to " + plain_words(where) + ", which " + problem);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const auto patience = std::clamp(left, std::chrono::milliseconds(1), fetch_patience);
    request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = patience;
    request.body_bytes_max = body_bytes_max;
    request.once = request.method == net::Method::post;  // codes and refresh tokens are good for one use
    request.headers.add("User-Agent", "stele");
    request.headers.add("Accept", "application/json");
    net::ClientResponse response;
    std::optional<Error> failure;
    try {
        response = co_await client.send(std::move(request));
    } catch (const Error& error) {
        failure = error;
    }
    if (failure && failure->code == ErrorCode::cancelled) throw *failure;
    if (failure) throw Error(failure->code, "The login could not go on at " + where + ": " + failure->what());
    if (response.status >= 300 && response.status < 400)
        throw Error(ErrorCode::permission_denied,
                    "The login is sent elsewhere by " + where + ", which is not followed");
    Answer answer;
    answer.status = response.status;
    answer.body = parsed(response.body);
    co_return answer;
}

awaitable<OauthFetch::Answer> OauthFetch::get(std::string url) const {
    net::ClientRequest request;
    request.url = std::move(url);
    request.headers.add("MCP-Protocol-Version", "2025-11-25");
    co_return co_await send(std::move(request));
}

awaitable<OauthFetch::Answer> OauthFetch::post_json(std::string url, boost::json::object body) const {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = std::move(url);
    request.headers.add("Content-Type", "application/json");
    request.body = boost::json::serialize(body);
    co_return co_await send(std::move(request));
}

awaitable<OauthFetch::Answer> OauthFetch::post_form(std::string url, std::string form,
                                                    std::string authorization) const {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = std::move(url);
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    if (!authorization.empty()) request.headers.add("Authorization", std::move(authorization));
    request.body = std::move(form);
    co_return co_await send(std::move(request));
}

std::string refusal_words(const OauthFetch::Answer& answer) {
    const std::string error = plain_words(text_member(answer.body, "error"));
    const std::string description = plain_words(text_member(answer.body, "error_description"));
    if (error.empty()) return "status " + std::to_string(answer.status);
    return description.empty() ? error : error + ": " + description;
}

}  // namespace stele::tools::mcp
