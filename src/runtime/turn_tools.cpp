// How a step's calls are carried out, and what is on record when the server dies or the run is cancelled meanwhile.
#include "runtime/call_arguments.hpp"
#include "runtime/run_failure.hpp"
#include "runtime/runtime.hpp"
#include "runtime/turn_work.hpp"

#include <algorithm>

namespace stele::runtime {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

namespace {

constexpr char cut_off[] = "The call was cut off: the user cancelled the run. It may or may not have been made.";

}  // namespace

ToolRunner Turn::tool_runner() {
    CallOrigin origin;
    origin.waiting = lease_key(request_.agent_id, request_.conversation_id);
    return {services_, request_.organization_id, request_.user_id, loaded_, others_, std::move(origin)};
}

// Fills in the results of `work.calls`. Calls that act outside the store are on record before they are made: whatever
// happens meanwhile, nobody makes them a second time without knowing of the first.
awaitable<void> Turn::make_calls(StepWork& work) {
    const ToolRunner runner = tool_runner();
    const bool outside = std::any_of(work.calls.begin(), work.calls.end(),
                                     [&](const PreparedCall& call) { return runner.acts_outside(call); });
    if (outside) co_await begin_calls(work);
    const Clock::time_point began = Clock::now();
    work.memory.emplace(loaded_.blocks);
    auto working = runner.run(work.calls, *work.memory);
    try {
        co_await request_.control->interruptible(std::move(working));
    } catch (const Error& error) {
        if (!outside || error.code != ErrorCode::cancelled) throw;
        work.cut_off = true;
    }
    if (work.cut_off) ToolRunner::fail_unmade(work.calls, cut_off);
    co_await tell_of_archive(work);
    work.times.tools_ns = nanoseconds(Clock::now() - began);
}

// What was put into the archive is counted in the system message.
awaitable<void> Turn::tell_of_archive(StepWork& work) {
    const bool kept = std::any_of(work.calls.begin(), work.calls.end(), [](const PreparedCall& call) {
        return call.tool == "archival_memory_insert" && call.made && call.result.status != "error";
    });
    Message* system = system_message_of(loaded_.messages);
    if (!kept || system == nullptr) co_return;
    co_await load_archive_facts(services_.database, loaded_);
    system->content = {text_part(compile_system_prompt(prompt_input(loaded_, now())))};
    work.system_changed = true;
}

// Stores what the step has so far, the calls included, and tells the client.
awaitable<void> Turn::begin_calls(StepWork& work) {
    if (work.tokens_shown) work.tokens->finish(work.assistant.tool_calls, false);
    work.part = StepWork::Part::calls;
    co_await commit(work);
    show(work);
    work.part = StepWork::Part::returns;
    work.system_changed = false;  // it is stored
}

awaitable<void> Turn::run_tools(StepWork& work, std::size_t calls) {
    work.calls.resize(std::min(calls, work.calls.size()));
    co_await make_calls(work);
    const ToolsReturned returned = note_returns(work);
    work.action = work.cut_off ? Stop{StopReason::cancelled} : next_action(state_, returned);
    if (work.part == StepWork::Part::returns) co_return;  // the calls are stored as the model wrote them
    if (!state_.speaks_in_text && work.calls.front().arguments_json)
        work.assistant.tool_calls.front().arguments =
            with_heartbeat(*work.calls.front().arguments_json, std::holds_alternative<AskModel>(work.action));
    if (work.tokens_shown) work.tokens->finish(work.assistant.tool_calls, false);
}

// Tells the rules and the run's metrics of the calls that were made.
ToolsReturned Turn::note_returns(const StepWork& work) {
    ToolsReturned returned;
    for (std::size_t i = 0; i < work.calls.size(); ++i) {
        const PreparedCall& call = work.calls[i];
        const bool refused = !call.refusal.empty();
        if (!refused) state_.rules.called(call.tool, call.result.value);
        returned.calls.push_back(ToolsReturned::Call{call.tool, refused, work.heartbeats[i], call.bad_rule});
        const auto tool = std::find_if(loaded_.tools.begin(), loaded_.tools.end(),
                                       [&](const Tool& each) { return each.name == call.tool; });
        if (!refused && tool != loaded_.tools.end() &&
            std::find(run_.tools_used.begin(), run_.tools_used.end(), tool->id) == run_.tools_used.end())
            run_.tools_used.push_back(tool->id);
    }
    return returned;
}

}  // namespace stele::runtime
