#include "runtime/runtime.hpp"

// What the model is shown, for whoever wants to look at it: the system message, and a whole request.
namespace stele::runtime {

using boost::asio::awaitable;

awaitable<std::string> Runtime::recompile(std::string organization_id, std::string agent_id,
                                          std::string conversation_id, bool update_timestamp, bool dry_run) {
    auto loaded = co_await load_agent(services_.database, std::move(organization_id), agent_id, conversation_id);
    if (!loaded) throw not_found("Agent", agent_id);
    Message* system = system_message_of(loaded->messages);
    if (system == nullptr) throw Error(ErrorCode::not_found, "The conversation has no system message");
    co_await load_archive_facts(services_.database, *loaded);
    std::string text = update_timestamp
                           ? compile_system_prompt(prompt_input(*loaded, now()))
                           : recompiled_system_prompt(text_of(*system), prompt_input(*loaded, system->created_at));
    if (dry_run) co_return text;
    system->content = {text_part(text)};
    storage::Transaction transaction;
    services_.messages.rewrite_system(transaction, *system);
    co_await services_.database.commit(std::move(transaction));
    co_return text;
}

awaitable<PreparedRequest> Runtime::prepare(TurnRequest request) {
    const bool stream = request.stream_tokens;
    co_await name_identity(request);
    TurnInput input;
    input.messages = input_messages(request.body, request.agent_id);
    LoadedAgent loaded = co_await load(request);
    llm::ResolvedModel model =
        co_await model_of(request.organization_id, request.body.override_model, loaded.agent.llm_config);
    PreparedRequest prepared;
    prepared.model = model;
    auto log = std::make_shared<RunLog>(new_run(request));  // nobody reads it
    Turn turn(services_, std::move(request), std::move(log), Lease(), std::move(loaded), std::move(input),
              std::move(model));
    const llm::ModelRequest made = co_await turn.first_request();
    prepared.json = prepared.model.provider->request_json(made, stream);
    co_return std::move(prepared);
}

}  // namespace stele::runtime
