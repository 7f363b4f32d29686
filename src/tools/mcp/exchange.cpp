#include "tools/mcp/exchange.hpp"

#include "base/error.hpp"

namespace stele::tools::mcp {
namespace {

constexpr std::size_t messages_max = 10'000;  // within one request of ours

// Some servers send the number back as a text.
bool is_ours(const boost::json::value& id, std::int64_t ours) {
    if (id.is_int64()) return id.get_int64() == ours;
    return id.is_string() && id.get_string() == std::to_string(ours);
}

}  // namespace

Reaction next(Exchange& exchange, RpcMessage message) {
    if (++exchange.messages > messages_max) return Flooded{};
    switch (message.kind) {
        case RpcMessage::Kind::request:
            if (message.method == "ping") return Reply{reply_text(message.id, {})};
            return Reply{refusal_text(message.id, method_not_found, "This client does not offer " + message.method)};
        case RpcMessage::Kind::notification:
            if (message.method == "notifications/tools/list_changed") exchange.tools_changed = true;
            if (message.method == "notifications/progress") return Progressed{};
            return Ignore{};
        case RpcMessage::Kind::result:
            if (is_ours(message.id, exchange.id)) return Answered{std::move(message.content)};
            return Ignore{};
        case RpcMessage::Kind::error:
            // Without an id: what we sent could not even be read.
            if (message.id.is_null() || is_ours(message.id, exchange.id)) return Refused{std::move(message.error)};
            return Ignore{};
    }
    return Ignore{};
}

std::optional<RpcAnswer> ending(Reaction& reaction) {
    if (std::holds_alternative<Flooded>(reaction))
        throw Error(ErrorCode::unavailable, "The MCP server sends messages without end");
    RpcAnswer answer;
    if (auto* answered = std::get_if<Answered>(&reaction))
        answer.result = std::move(answered->result);
    else if (auto* refused = std::get_if<Refused>(&reaction))
        answer.error = std::move(refused->error);
    else
        return std::nullopt;
    return answer;
}

}  // namespace stele::tools::mcp
