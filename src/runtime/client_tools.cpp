#include "runtime/client_tools.hpp"

#include "base/json_text.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

Tool as_tool(const ClientTool& client) {
    Tool tool;
    tool.tool_type = "custom";
    tool.name = client.name;
    tool.description = client.description;
    tool.json_schema.text =
        "{\"name\":" + json_string(client.name) + ",\"description\":" + json_string(client.description.value_or("")) +
        ",\"parameters\":" +
        (client.parameters.is_null() ? R"({"type":"object","properties":{},"required":[]})" : client.parameters.text) +
        "}";
    return tool;
}

}  // namespace

std::vector<Tool> with_client_tools(const std::vector<Tool>& own, const std::vector<ClientTool>& client) {
    std::vector<Tool> tools = own;
    for (const ClientTool& each : client) {
        const auto same =
            std::find_if(tools.begin(), tools.end(), [&](const Tool& tool) { return tool.name == each.name; });
        if (same == tools.end())
            tools.push_back(as_tool(each));
        else
            *same = as_tool(each);
    }
    return tools;
}

}  // namespace stele::runtime
