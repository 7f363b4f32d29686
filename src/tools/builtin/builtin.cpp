#include "tools/builtin/builtin.hpp"

#include "tools/builtin/tables.hpp"

namespace stele::tools {

std::span<const BuiltinTool> builtin_tools() {
    static const std::vector<BuiltinTool> all = [] {
        std::vector<BuiltinTool> joined;
        for (const auto& table : {conversation_tools(), archival_tools(), memory_tools(), agent_tools(), voice_tools(),
                                  code_tools(), web_tools(), file_tools()})
            joined.insert(joined.end(), table.begin(), table.end());
        return joined;
    }();
    return all;
}

const BuiltinTool* find_builtin(std::string_view name) {
    for (const BuiltinTool& tool : builtin_tools())
        if (name == tool.name) return &tool;
    for (const BuiltinTool& tool : group_tools())
        if (name == tool.name) return &tool;
    return nullptr;
}

Tool describe_builtin(const BuiltinTool& builtin, const std::string& id, const std::string& actor) {
    Tool tool;
    tool.id = id;
    tool.tool_type = builtin.tool_type;
    tool.description = builtin.description;
    tool.source_type = "python";
    tool.name = builtin.name;
    tool.tags = {builtin.tool_type};
    tool.json_schema.text = builtin.schema(builtin.name, builtin.description);
    tool.enable_parallel_execution = builtin.parallel;
    tool.created_by_id = tool.last_updated_by_id = actor;
    tool.created_at = now();
    return tool;
}

}  // namespace stele::tools
