#pragma once

#include "domain/content.hpp"

namespace stele {

/// What a client says about one call that waits for it. In JSON a union on `type`:
///     {"type":"approval", "tool_call_id", "approve", "reason"}                            make the call, or don't
///     {"type":"tool", "tool_call_id", "tool_return", "status", "stdout", "stderr"}   the client made it, with this
///     result
/// `tool_return` is a text or a list of text and image parts.
struct ApprovalDecision {
    enum class Kind : std::uint8_t { approval, tool } kind = Kind::approval;
    std::string tool_call_id;

    bool approve = false;
    std::optional<std::string> reason;

    std::string tool_return;  ///< as a text
    std::optional<std::vector<ContentPart>> parts;
    std::string status = "success";  ///< success or error
    std::optional<std::vector<std::string>> stdout_lines;
    std::optional<std::vector<std::string>> stderr_lines;
};
void read_json(const boost::json::value& from, ApprovalDecision& into, Problems& problems);
void write_json(const ApprovalDecision& from, std::string& out);
Schema json_schema(const ApprovalDecision*);

/// A tool that a client brings along for one request and runs by itself.
struct ClientTool {
    std::string name;
    std::optional<std::string> description;
    Json parameters;  ///< a JSON Schema object, or null
};
BOOST_DESCRIBE_STRUCT(ClientTool, (), (name, description, parameters))
void check(const ClientTool& tool, Problems& problems);

/// Body of PATCH /v1/agents/{agent_id}/tools/approval/{tool_name}.
struct ModifyApprovalRequest {
    Patch<bool> requires_approval;
    Patch<bool> body_requires_approval;  ///< the same, as the TypeScript client of generation 2 spells it
};
BOOST_DESCRIBE_STRUCT(ModifyApprovalRequest, (), (requires_approval, body_requires_approval))

/// Writes `,"stdout":...,"stderr":...` as answers have them.
void write_output_lines(const std::optional<std::vector<std::string>>& stdout_lines,
                        const std::optional<std::vector<std::string>>& stderr_lines, std::string& out);

}  // namespace stele
