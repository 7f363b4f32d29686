// The tools with which agents speak to one another.
#include "tools/builtin/agent_reply.hpp"
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/tables.hpp"

namespace stele::tools {
namespace {

using boost::asio::awaitable;

awaitable<ToolResult> run_ask(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<ToAgentArguments>("send_message_to_agent_and_wait_for_reply", json);
    std::vector<std::string> receiver{std::move(arguments.other_agent_id)};
    const std::vector<AgentReply> replies =
        co_await context.others.ask(std::move(receiver), std::move(arguments.message));
    const AgentReply& reply = replies.front();
    if (!reply.failure.empty() && reply.texts.empty()) throw ToolFailure(reply.failure);
    ToolResult result;
    result.value = shown(reply);
    co_return result;
}

awaitable<ToolResult> run_tell(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<ToAgentArguments>("send_message_to_agent_async", json);
    co_await context.others.tell(std::move(arguments.other_agent_id), std::move(arguments.message));
    ToolResult result;
    result.value = "The message is on its way.";
    co_return result;
}

awaitable<ToolResult> run_broadcast(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<ToTagsArguments>("send_message_to_agents_matching_tags", json);
    if (arguments.match_all.empty() && arguments.match_some.empty())
        throw ToolFailure("send_message_to_agents_matching_tags: name at least one tag in match_all or match_some");
    std::vector<std::string> receivers =
        co_await context.others.matching(std::move(arguments.match_all), std::move(arguments.match_some));
    const std::vector<AgentReply> replies =
        co_await context.others.ask(std::move(receivers), std::move(arguments.message));
    ToolResult result;
    result.value = shown(replies);
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"send_message_to_agent_and_wait_for_reply", "letta_multi_agent_core",
     "Sends a message to another agent and waits until it has answered. The answer comes back as the return of this "
     "call. Say everything that it has to know: it does not see your conversation.",
     [](const char* name, const char* description) {
         return tool_schema<ToAgentArguments>(
             name, description,
             {{"message", "What to say to the other agent."}, {"other_agent_id", "Its id, agent-<uuid>."}});
     },
     false, Effect::outside, run_ask},
    {"send_message_to_agents_matching_tags", "letta_multi_agent_core",
     "Sends one message to every agent whose tags fit, all at once, and waits until all have answered. The return "
     "lists what each of them said.",
     [](const char* name, const char* description) {
         return tool_schema<ToTagsArguments>(
             name, description,
             {{"message", "What to say to each of them."},
              {"match_all", "Tags that an agent must have, all of them. May be empty."},
              {"match_some", "Tags of which an agent must have at least one. Empty: no such demand."}});
     },
     false, Effect::outside, run_broadcast},
    {"send_message_to_agent_async", "letta_multi_agent_core",
     "Sends a message to another agent and does not wait. Whatever it does about it, this call returns at once; if it "
     "wants to answer, it sends you a message of its own.",
     [](const char* name, const char* description) {
         return tool_schema<ToAgentArguments>(
             name, description,
             {{"message", "What to say to the other agent."}, {"other_agent_id", "Its id, agent-<uuid>."}});
     },
     false, Effect::outside, run_tell},
};

}  // namespace

std::span<const BuiltinTool> agent_tools() { return table; }

}  // namespace stele::tools
