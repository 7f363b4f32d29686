#include "runtime/embedding_service.hpp"

#include "base/log.hpp"
#include "llm/model_failure.hpp"
#include "storage/passage_vectors.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::seconds rest{5};
constexpr std::size_t query_key_bytes = 256;  // of the cache's own, for each entry

// What a listing says of a model whose dimension nobody tells (llm/model_server): then it has what it has.
constexpr std::int64_t guessed_dimension = 1'536;

std::int64_t demanded_dimension(const EmbeddingConfig& config) {
    const bool guessed = config.embedding_dim == guessed_dimension && !llm::known_embedding_dim(config.embedding_model);
    return guessed ? 0 : config.embedding_dim;
}

Error unknown_model(const EmbeddingConfig& config) {
    return llm::model_failure("llm_connection", "No configured provider offers the embedding model '" +
                                                    config.handle.value_or(config.embedding_model) + "'");
}

// What may be over in a moment, as against what this request has wrong.
bool concerns_the_server(const Error& error) {
    return error.type == "llm_connection" || error.type == "llm_timeout" || error.type == "llm_overloaded" ||
           error.type == "llm_rate_limit" || error.type == "llm_authentication" || error.type == "llm_error" ||
           error.type == "llm_insufficient_credits";
}

}  // namespace

bool EmbeddingService::is_built_in(const std::string& organization_id, const EmbeddingConfig& config) const {
    const auto resolved = catalogue_.embedder(organization_id, config);
    return resolved && resolved->built_in;
}

void EmbeddingService::leave_alone(const std::string& model_id) {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    std::erase_if(left_alone_until_, [&](const auto& each) { return each.second <= now; });  // models come and go
    left_alone_until_[model_id] = now + rest;
}

bool EmbeddingService::is_left_alone(const std::string& model_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = left_alone_until_.find(model_id);
    return found != left_alone_until_.end() && found->second > Clock::now();
}

std::vector<std::string> EmbeddingService::left_alone() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    for (const auto& [id, until] : left_alone_until_)
        if (until > Clock::now()) ids.push_back(id);
    return ids;
}

std::optional<std::chrono::milliseconds> EmbeddingService::until_asked_again() const {
    const std::lock_guard lock(mutex_);
    std::optional<std::chrono::milliseconds> first;
    for (const auto& [id, until] : left_alone_until_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() > 0 && (!first || left < *first)) first = left;
    }
    return first;
}

awaitable<std::vector<std::vector<float>>> EmbeddingService::embed(std::string organization_id, EmbeddingConfig config,
                                                                   std::vector<std::string> texts,
                                                                   std::chrono::milliseconds patience) {
    const auto resolved = catalogue_.embedder(organization_id, config);
    if (!resolved) throw unknown_model(config);
    const std::string model_id = storage::embedding_model_id(organization_id, config);
    if (is_left_alone(model_id))
        throw llm::model_failure(
            "llm_connection",
            "The embedding model '" + config.handle.value_or(config.embedding_model) + "' has failed a moment ago");
    llm::EmbeddingRequest request;
    request.model = resolved->model;
    request.texts = std::move(texts);
    request.dimensions = demanded_dimension(config);
    request.patience = patience;
    try {
        std::vector<std::vector<float>> made = co_await resolved->embedder->embed(std::move(request));
        {
            const std::lock_guard lock(mutex_);
            left_alone_until_.erase(model_id);
        }
        co_return made;
    } catch (const Error& error) {
        if (error.code == ErrorCode::model_failed && concerns_the_server(error)) leave_alone(model_id);
        throw;
    }
}

awaitable<std::shared_ptr<const std::vector<float>>> EmbeddingService::query(std::string organization_id,
                                                                             EmbeddingConfig config, std::string text) {
    const std::string key = storage::embedding_model_id(organization_id, config) + '\n' + text;
    {
        const std::lock_guard lock(mutex_);
        if (auto known = queries_.find(key)) co_return std::move(*known);
    }
    std::vector<std::string> texts{std::move(text)};
    std::vector<std::vector<float>> made;
    try {
        made = co_await embed(std::move(organization_id), config, std::move(texts), query_patience_);
    } catch (const Error& error) {
        if (error.code != ErrorCode::model_failed) throw;
        log::warn(
            "search.no_vector",
            {{"model", config.handle.value_or(config.embedding_model)}, {"type", error.type}, {"why", error.what()}});
        co_return nullptr;
    }
    auto vector = std::make_shared<const std::vector<float>>(std::move(made.front()));
    const std::lock_guard lock(mutex_);
    queries_.put(key, vector, key.size() + query_key_bytes + vector->size() * sizeof(float));
    co_return vector;
}

}  // namespace stele::runtime
