// What a step asks its model, and how it takes the answer.
#include "base/ids.hpp"
#include "base/log.hpp"
#include "runtime/call_arguments.hpp"
#include "runtime/call_rules.hpp"
#include "runtime/model_turns.hpp"
#include "runtime/parameters.hpp"
#include "runtime/skills.hpp"
#include "runtime/turn_work.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr int compactions_max = 2;  // of one model call
constexpr char overflow_trigger[] = "context_window_exceeded";

}  // namespace

llm::ModelRequest Turn::make_request() const {
    const LlmConfig& config = loaded_.agent.llm_config;
    TurnOptions turns;
    turns.timezone = loaded_.agent.timezone.value_or("UTC");
    turns.context_window = config.context_window;
    turns.model = model_.info().model;
    turns.sender_marks = &sender_marks_;
    turns.inner_thoughts = !state_.speaks_in_text && config.put_inner_thoughts_in_kwargs.value_or(false);

    llm::ModelRequest request;
    request.model = model_.model;
    request.turns = make_turns(loaded_.messages, turns);
    for (llm::Turn& turn : make_turns(input_, turns)) request.turns.push_back(std::move(turn));
    if (auto own = system_text_for_identity(loaded_)) request.turns.front().text = std::move(*own);
    const auto& override_system = request_.body.override_system ? request_.body.override_system : request_.body.system;
    if (override_system && state_.speaks_in_text && !request.turns.empty() &&
        request.turns.front().role == llm::Role::system)
        request.turns.front().text = *override_system;

    else if (!request.turns.empty() && request.turns.front().role == llm::Role::system)
        request.turns.front().text += skills_section(loaded_.agent, loaded_.blocks, request_.body.client_skills);

    ToolSpecOptions specs;
    specs.inner_thoughts = turns.inner_thoughts;
    specs.heartbeats = !state_.speaks_in_text;
    for (const std::string& tool : state_.tools)
        if (state_.rules.ends_turn(tool)) specs.terminal.push_back(tool);
    const std::vector<std::string> allowed = state_.rules.allowed(state_.tools);
    request.tools = make_tool_specs(offered_tools(), allowed, specs);
    request.parallel_tool_calls = state_.parallel_calls;
    if (!request.tools.empty() && (!state_.speaks_in_text || state_.rules.call_required())) {
        request.tool_choice.kind =
            request.tools.size() == 1 ? llm::ToolChoice::Kind::tool : llm::ToolChoice::Kind::required;
        if (request.tools.size() == 1) request.tool_choice.tool = request.tools.front().name;
    }
    request.max_output_tokens = config.max_tokens;
    request.temperature = config.temperature;
    request.frequency_penalty = config.frequency_penalty;
    request.reasoning_effort = config.reasoning_effort.value_or("");
    request.verbosity = config.verbosity.value_or("");
    if (!loaded_.agent.response_format.is_null())
        request.response_format_json = loaded_.agent.response_format.text;
    else if (!config.response_format.is_null())
        request.response_format_json = config.response_format.text;
    apply(request_.parameters, request);
    request.user = request_.user_id;
    return request;
}

awaitable<void> Turn::ask_model(StepWork& work) {
    TokenEvents::Options options;
    options.speaks_in_text = state_.speaks_in_text;
    options.parallel_calls = state_.parallel_calls;
    options.inner_thoughts = !state_.speaks_in_text;
    options.view = view_options();
    options.approval_id = work.approval_id;
    for (const std::string& tool : state_.rules.allowed(state_.tools))
        if (needs_approval(tool)) options.waiting_tools.push_back(tool);
    TokenEvents& tokens = work.tokens.emplace(*log_, work.assistant, std::move(options));

    const Clock::time_point asked = Clock::now();
    work.times.model_started_ns = now_ns();
    work.answer = co_await complete(work, tokens);
    const Clock::time_point answered = Clock::now();
    work.times.model_ns = nanoseconds(answered - asked);
    if (!run_.ttft_ns) run_.ttft_ns = nanoseconds(tokens.first_at().value_or(answered) - began_);
    for (llm::ToolCall& call : work.answer.tool_calls)
        if (call.id.empty()) call.id = "call_" + random_hex(12);

    take_calls(work, state_.parallel_calls ? work.answer.tool_calls.size() : 1);
    work.tokens_shown = tokens.shown();
}

// The answer that a provider's batch has given, with the request as it would be made now. One that can't be used is as
// good as none.
std::optional<llm::ModelAnswer> Turn::take_given_answer() {
    const std::string body = std::exchange(request_.answer, {});
    if (body.empty() || request_.answered_by != model_.info().handle) return std::nullopt;
    try {
        llm::ModelAnswer answer = model_.provider->read_answer(body);
        answer.request_json = model_.provider->request_json(make_request(), false);
        return answer;
    } catch (const Error& error) {
        log::warn("run.answer_of_batch_unusable", {{"run_id", run_.id}, {"type", error.type}, {"why", error.what()}});
        return std::nullopt;
    }
}

// A model that finds the conversation too long for its window is asked again after a compaction: first one that keeps
// the newest messages, then one that keeps nothing but the new input.
awaitable<llm::ModelAnswer> Turn::complete(StepWork& work, TokenEvents& tokens) {
    for (int attempt = 1;; ++attempt) {
        std::optional<Error> overflow;
        try {
            std::optional<llm::ModelAnswer> given = take_given_answer();
            if (given) co_return std::move(*given);
            llm::ModelRequest request = make_request();
            auto asked = model_.provider->complete(std::move(request), request_.stream_tokens ? &tokens : nullptr);
            llm::ModelAnswer answer = co_await request_.control->interruptible(std::move(asked));
            co_return answer;
        } catch (const Error& error) {
            if (error.type != "llm_context_overflow" || attempt > compactions_max) throw;
            overflow = error;
        }
        const bool shorter = co_await compact(overflow_trigger, attempt > 1);
        if (!shorter) throw std::move(*overflow);
        work.system_changed = false;  // it is stored already
    }
}

// Puts the answer into the message that will be stored.
void Turn::take_calls(StepWork& work, std::size_t calls) {
    const bool loop_parameters = !state_.speaks_in_text;
    Message& message = work.assistant;
    message.model = model_.info().model;
    if (!work.answer.reasoning.empty())
        message.content.push_back(reasoning_part(work.answer.reasoning, true, work.answer.reasoning_signature));
    else if (!work.answer.reasoning_signature.empty())
        message.content.push_back(omitted_reasoning_part(work.answer.reasoning_signature));
    if (!work.answer.text.empty()) message.content.push_back(text_part(work.answer.text));
    const std::vector<std::string> allowed = state_.rules.allowed(state_.tools);
    for (std::size_t i = 0; i < std::min(calls, work.answer.tool_calls.size()); ++i) {
        const llm::ToolCall& asked = work.answer.tool_calls[i];
        auto arguments = read_call_arguments(asked.arguments, loop_parameters);
        work.heartbeats.push_back(arguments && arguments->heartbeat);
        if (arguments && !arguments->thinking.empty())
            message.content.push_back(reasoning_part(arguments->thinking, false, {}));
        PreparedCall call;
        call.id = asked.id;
        call.tool = asked.name;
        if (arguments) call.arguments_json = std::move(arguments->json);
        const bool changed = apply_rules(call, state_.rules, allowed, offered_tools());
        work.waits.push_back(call.refusal.empty() && call.arguments_json && needs_approval(call.tool));
        MessageToolCall stored;
        stored.id = asked.id;
        stored.name = asked.name;
        if (loop_parameters && call.arguments_json)
            stored.arguments = with_heartbeat(*call.arguments_json, work.heartbeats.back());
        else
            stored.arguments = changed ? *call.arguments_json : asked.arguments;
        if (stored.arguments.empty()) stored.arguments = "{}";
        message.tool_calls.push_back(std::move(stored));
        work.calls.push_back(std::move(call));
    }
}

}  // namespace stele::runtime
