#pragma once

#include "domain/mcp_server.hpp"

#include <boost/json/value.hpp>

namespace stele::tools::mcp {

/// `text` with each {{ NAME }} and {{ NAME | default }} (NAME: capitals, digits, underscores) replaced by the secret of
/// that name, or by the default. A name that is neither stays as it is written.
std::string filled(std::string_view text, const TextMap& secrets);

/// The headers that a server is sent, in this order: its own custom headers, its token under the header it was given
/// for, and the agent. A later one of a name replaces the one before. Left out is what would break lines once filled
/// in, or is no header name.
TextMap server_headers(const McpServer& server, const std::string& agent_id, const TextMap& secrets);

/// `value` as 2026-07-28 wants it in a header: what is not plain ASCII, begins or ends with a space, or looks like an
/// encoded one goes as =?base64?...?=.
std::string header_value(std::string_view value);

/// The headers Mcp-Param-<Name> that mirror arguments whose schema says so (x-mcp-header). Nothing if an annotation is
/// not as the revision allows it: then the tool must not be offered.
std::optional<TextMap> parameter_headers(const boost::json::value& input_schema, const boost::json::value& arguments);

}  // namespace stele::tools::mcp
