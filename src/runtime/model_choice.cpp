#include "runtime/model_choice.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

awaitable<LlmConfig> resolved_config(llm::Catalogue& catalogue, std::string organization_id, std::string handle,
                                     AgentType type, ModelDefaults defaults) {
    const auto model = co_await catalogue.resolve(std::move(organization_id), handle);
    if (!model)
        throw Error(ErrorCode::not_found, "Handle " + handle +
                                              " not found: no configured provider offers this model. "
                                              "GET /v1/models lists what is there");
    co_return config_of(model->info(), handle, type, defaults);
}

// `unknown`: the API answers an unknown embedding with 400 on create and 404 on PATCH.
EmbeddingConfig resolved_embedding(const llm::Catalogue& catalogue, const std::string& organization_id,
                                   const std::string& handle, ErrorCode unknown) {
    const auto listing = catalogue.find_embedding(organization_id, handle);
    if (!listing)
        throw Error(unknown, "Embedding handle " + handle +
                                 " not found: no configured provider offers it. "
                                 "GET /v1/models/embedding lists what is there");
    return config_of(*listing, handle);
}

std::string handle_of(const LlmConfig& config) {
    return config.handle ? *config.handle
                         : config.provider_name.value_or(config.model_endpoint_type) + "/" + config.model;
}

void take_embedding(const llm::Catalogue& catalogue, const AgentModelRequest& request, ErrorCode unknown,
                    Agent& agent) {
    if (request.embedding_config.has_value()) {
        agent.embedding_config = *request.embedding_config;
        agent.embedding = agent.embedding_config->handle;
    } else if (request.embedding.has_value()) {
        agent.embedding_config = resolved_embedding(catalogue, agent.organization_id, *request.embedding, unknown);
        agent.embedding = *request.embedding;
    }
    if (request.embedding_chunk_size.has_value() && agent.embedding_config)
        agent.embedding_config->embedding_chunk_size = *request.embedding_chunk_size;
}

}  // namespace

LlmConfig config_of(const ModelListing& listing, const std::string& handle, AgentType type,
                    const ModelDefaults& defaults) {
    LlmConfig config;
    config.model = listing.model;
    config.model_endpoint_type = listing.model_endpoint_type;
    config.model_endpoint = listing.model_endpoint;
    config.provider_name = listing.provider_name;
    config.provider_category = listing.provider_category;
    config.handle = handle;
    config.context_window = std::min(listing.max_context_window, defaults.context_window_max);
    config.max_tokens = listing.max_tokens;
    config.put_inner_thoughts_in_kwargs = !speaks_in_text(type);
    config.enable_reasoner = !speaks_in_text(type);
    return config;
}

EmbeddingConfig config_of(const EmbeddingListing& listing, const std::string& handle) {
    EmbeddingConfig config;
    config.embedding_endpoint_type = listing.embedding_endpoint_type;
    config.embedding_endpoint = listing.embedding_endpoint;
    config.embedding_model = listing.embedding_model;
    config.embedding_dim = listing.embedding_dim;
    config.embedding_chunk_size = listing.embedding_chunk_size;
    config.handle = handle;
    config.batch_size = listing.batch_size;
    return config;
}

void adjust(const AgentModelRequest& request, LlmConfig& config) {
    if (request.max_tokens.null())
        config.max_tokens.reset();
    else
        request.max_tokens.set_into(config.max_tokens);
    if (request.model_settings.has_value()) apply(*request.model_settings, config);
    request.context_window_limit.set_into(config.context_window);
    request.max_reasoning_tokens.set_into(config.max_reasoning_tokens);
    if (request.reasoning.has_value())
        config.enable_reasoner = *request.reasoning;
    else
        request.enable_reasoner.set_into(config.enable_reasoner);
    if (request.parallel_tool_calls.has_value()) config.parallel_tool_calls = *request.parallel_tool_calls;
    if (request.response_format.present()) config.response_format = request.response_format.value_or(Json{});
}

awaitable<void> choose_models(llm::Catalogue& catalogue, const ModelDefaults& defaults,
                              const AgentModelRequest& request, Agent& agent) {
    if (request.llm_config.has_value()) {
        agent.llm_config = *request.llm_config;
        agent.llm_config.handle = handle_of(agent.llm_config);
    } else {
        agent.llm_config = co_await resolved_config(catalogue, agent.organization_id,
                                                    request.model.value_or(defaults.model), agent.agent_type, defaults);
    }
    adjust(request, agent.llm_config);
    agent.model = agent.llm_config.handle;
    if (request.response_format.present()) agent.response_format = request.response_format.value_or(Json{});
    agent.model_settings = settings_of(agent.llm_config);
    const bool wants_none = request.embedding.null() || request.embedding_config.null();
    if (!wants_none) {
        agent.embedding_config =
            resolved_embedding(catalogue, agent.organization_id, defaults.embedding, ErrorCode::invalid_argument);
        agent.embedding = defaults.embedding;
    }
    take_embedding(catalogue, request, ErrorCode::invalid_argument, agent);
}

awaitable<bool> change_models(llm::Catalogue& catalogue, const ModelDefaults& defaults,
                              const AgentModelRequest& request, Agent& agent) {
    const std::string before = to_json(static_cast<const AgentSettings&>(agent));
    if (request.llm_config.has_value()) {
        agent.llm_config = *request.llm_config;
        agent.llm_config.handle = handle_of(agent.llm_config);
    } else if (request.model.has_value() && request.model.optional() != agent.llm_config.handle) {
        agent.llm_config =
            co_await resolved_config(catalogue, agent.organization_id, *request.model, agent.agent_type, defaults);
    }
    adjust(request, agent.llm_config);
    agent.model = agent.llm_config.handle;
    if (request.response_format.present()) agent.response_format = request.response_format.value_or(Json{});
    const ModelSettings settings = settings_of(agent.llm_config);
    if (!agent.model_settings || to_json(*agent.model_settings) != to_json(settings)) agent.model_settings = settings;
    take_embedding(catalogue, request, ErrorCode::not_found, agent);
    co_return before != to_json(static_cast<const AgentSettings&>(agent));
}

}  // namespace stele::runtime
