#include "tools/mcp/connect.hpp"

#include "tools/mcp/http_session.hpp"
#include "tools/mcp/oauth_challenge.hpp"
#include "tools/mcp/sse_session.hpp"

#include <algorithm>

namespace stele::tools::mcp {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr auto probe_patience =
    std::chrono::milliseconds(5'000);  // an old server may not answer a question it does not know
constexpr std::size_t answer_bytes_max = 1u << 20;

Patience patience_until(Clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    Patience patience;
    patience.total = patience.silence = std::max(left, std::chrono::milliseconds(1));
    patience.bytes_max = answer_bytes_max;
    return patience;
}

}  // namespace

awaitable<std::unique_ptr<Session>> connect(net::HttpClient& client, Endpoint endpoint) {
    const auto until = Clock::now() + endpoint.patience;
    auto http = std::make_unique<HttpSession>(client, endpoint.url, endpoint.headers);
    auto sse = std::make_unique<SseSession>(client, endpoint.url, endpoint.headers);
    std::string challenge;
    Negotiation negotiation;
    Decision decision = first_move(negotiation, endpoint.configured_as_sse, endpoint.known);
    for (;;) {
        Patience patience = patience_until(until);
        Heard heard;
        switch (decision.move) {
            case Move::probe:
                patience.total = patience.silence = std::min(patience.total, probe_patience);
                heard = co_await http->probe(patience);
                challenge = http->challenge();
                break;
            case Move::initialize:
                heard = co_await http->initialize(negotiation.version, patience);
                challenge = http->challenge();
                break;
            case Move::open_stream:
                heard = co_await sse->begin(patience);
                challenge = sse->challenge();
                break;
            case Move::use_modern:
                http->speak_modern();
                co_return std::unique_ptr<Session>(std::move(http));
            case Move::use_legacy:
                co_await http->speak_legacy(negotiation.version, patience);
                co_return std::unique_ptr<Session>(std::move(http));
            case Move::use_sse:
                co_return std::unique_ptr<Session>(std::move(sse));
            case Move::log_in:
                throw Unauthorized(challenge);
            case Move::give_up:
                throw Error(ErrorCode::unavailable, "No session with the MCP server: " + decision.why);
        }
        if (heard.status == 403 && parse_challenge(challenge).wants_more_rights()) throw Unauthorized(challenge);
        decision = next(negotiation, heard);
    }
}

}  // namespace stele::tools::mcp
