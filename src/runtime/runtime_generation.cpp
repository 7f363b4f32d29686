#include "runtime/runtime.hpp"

#include "runtime/call_arguments.hpp"

// One call of an agent's model, without its memory, history and tools.
namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr char default_system[] = "You are a helpful assistant. Answer what you are asked, and nothing else.";
constexpr char output_tool[] = "structured_output";

llm::ModelRequest request_of(const GenerateRequest& wanted, const LlmConfig& config, const std::string& model,
                             const std::string& user_id) {
    llm::ModelRequest request;
    request.model = model;
    request.user = user_id;
    request.temperature = config.temperature;
    request.max_output_tokens = config.max_tokens;
    llm::Turn& system = request.turns.emplace_back();
    system.role = llm::Role::system;
    system.text = wanted.system_prompt.value_or(default_system);
    llm::Turn& user = request.turns.emplace_back();
    user.role = llm::Role::user;
    user.text = wanted.prompt;
    if (!wanted.response_schema.has_value()) return request;
    llm::ToolSpec& tool = request.tools.emplace_back();
    tool.name = output_tool;
    tool.description = "Gives the answer in the form that was asked for.";
    tool.parameters_json = wanted.response_schema->text;
    request.tool_choice.kind = llm::ToolChoice::Kind::tool;
    request.tool_choice.tool = output_tool;
    return request;
}

// Whatever went wrong at the provider, to the caller it is a bad gateway.
Error provider_failure(const std::string& why) {
    Error failure(ErrorCode::model_failed, why);
    failure.type = "llm_error";
    failure.final = true;
    return failure;
}

}  // namespace

awaitable<GenerateResponse> Runtime::generate(std::string organization_id, std::string user_id, std::string agent_id,
                                              GenerateRequest wanted) {
    const auto agent = co_await services_.agents.find(std::move(organization_id), agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    const llm::ResolvedModel model = co_await model_of(agent->organization_id, wanted.override_model, agent->llm_config);
    llm::ModelRequest request = request_of(wanted, agent->llm_config, model.model, user_id);
    llm::ModelAnswer made;
    try {
        made = co_await model.provider->complete(std::move(request), nullptr);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        throw provider_failure(error.what());
    }
    GenerateResponse response;
    response.model = model.info().handle;
    response.content = std::move(made.text);
    if (wanted.response_schema.has_value()) {
        auto arguments =
            made.tool_calls.empty() ? std::nullopt : read_call_arguments(made.tool_calls.front().arguments, false);
        if (!arguments) throw provider_failure("The model did not answer in the form of response_schema");
        response.content = std::move(arguments->json);
    }
    Step step;
    const llm::Usage usage = made.usage.value_or(llm::Usage{});
    step.prompt_tokens = usage.input.value_or(0);
    step.completion_tokens = usage.output.value_or(0);
    step.total_tokens = usage.total.value_or(step.prompt_tokens + step.completion_tokens);
    step.cached_input_tokens = usage.cached_input;
    step.cache_write_tokens = usage.cache_write;
    step.reasoning_tokens = usage.reasoning;
    add(response.usage, step);
    co_return response;
}

}  // namespace stele::runtime
