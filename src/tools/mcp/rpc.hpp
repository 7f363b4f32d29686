#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON-RPC 2.0 as the Model Context Protocol uses it (modelcontextprotocol.io, revisions 2024-11-05 to 2026-07-28).
namespace stele::tools::mcp {

struct RpcError {
    std::int64_t code = 0;
    std::string message;
    boost::json::value data;
};

/// One message of a server.
struct RpcMessage {
    enum class Kind : std::uint8_t { request, notification, result, error };

    Kind kind = Kind::notification;
    boost::json::value id;
    std::string method;
    boost::json::value content;  ///< params of a request or notification, result of an answer
    RpcError error;
};

/// The messages of `text`, one or a batch; what is no message is left out. Nothing if it is no JSON at all.
std::optional<std::vector<RpcMessage>> parse_messages(std::string_view text);

std::string request_text(std::int64_t id, std::string_view method, const boost::json::object& params);
std::string notification_text(std::string_view method, const boost::json::object& params);
std::string reply_text(const boost::json::value& id, const boost::json::object& result);
std::string refusal_text(const boost::json::value& id, std::int64_t code, std::string_view message);

// Codes of JSON-RPC, and those by which a server of 2026-07-28 gives itself away.
inline constexpr std::int64_t method_not_found = -32601, invalid_params = -32602;
inline constexpr std::int64_t header_mismatch = -32020, missing_capability = -32021, unsupported_version = -32022;
inline bool is_modern_code(std::int64_t code) { return code <= header_mismatch && code >= unsupported_version; }

/// The value of a text that is JSON, null for any other.
boost::json::value parsed(std::string_view text);

/// How deep arrays and objects lie within one another; 0 for a plain value.
std::size_t depth_of(const boost::json::value& value);

/// A member of an object, or null where `value` is none or has none.
const boost::json::value& member(const boost::json::value& value, std::string_view name);

/// The same as text; empty for anything else.
std::string text_member(const boost::json::value& value, std::string_view name);

}  // namespace stele::tools::mcp
