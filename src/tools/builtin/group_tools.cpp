// What the manager of a group is lent while it leads a talk. In no store and no list: nobody can attach it.
#include "tools/builtin/agent_reply.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/tables.hpp"

namespace stele::tools {
namespace {

boost::asio::awaitable<ToolResult> run_ask_group(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<SendMessageArguments>("send_message_to_all_agents_in_group", json);
    const std::vector<AgentReply> replies = co_await context.others.ask_group(std::move(arguments.message));
    ToolResult result;
    result.value = shown(replies);
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"send_message_to_all_agents_in_group", "letta_multi_agent_core",
     "Sends one message to every agent of the group that you lead, all at once, and waits until all have answered. The "
     "return lists what each of them said.",
     [](const char* name, const char* description) {
         return tool_schema<SendMessageArguments>(name, description, {{"message", "What to say to all of them."}});
     },
     false, Effect::outside, run_ask_group},
};

}  // namespace

std::span<const BuiltinTool> group_tools() { return table; }

}  // namespace stele::tools
