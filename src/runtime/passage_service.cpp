#include "runtime/passage_service.hpp"

#include "base/log.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

// A client waits for its answer; the passage is stored already.
constexpr std::chrono::seconds insert_patience{10};

std::vector<std::int64_t> positions_of(const std::vector<Passage>& passages) {
    std::vector<std::int64_t> positions;
    for (const Passage& passage : passages) positions.push_back(passage.position);
    return positions;
}

bool all_embedded(const std::vector<Passage>& passages) {
    for (const Passage& passage : passages)
        if (passage.embedding_config && passage.embedding.values.empty()) return false;
    return true;
}

}  // namespace

// They cost less than a second commit would.
awaitable<std::vector<Passage>> PassageService::with_built_in_vectors(std::vector<Passage> made) const {
    if (made.empty() || !made.front().embedding_config) co_return made;
    const std::string organization_id = made.front().organization_id;
    const EmbeddingConfig config = *made.front().embedding_config;
    if (!parts_.embeddings.is_built_in(organization_id, config)) co_return made;
    std::vector<std::string> texts;
    for (const Passage& passage : made) texts.push_back(passage.text);
    std::vector<std::vector<float>> vectors =
        co_await parts_.embeddings.embed(organization_id, config, std::move(texts), insert_patience);
    for (std::size_t i = 0; i < made.size(); ++i) made[i].embedding.values = std::move(vectors[i]);
    co_return made;
}

awaitable<std::vector<Passage>> PassageService::insert(storage::Transaction with, std::vector<Passage> made) const {
    if (made.empty()) {
        co_await parts_.database.commit(std::move(with));
        co_return made;
    }
    made = co_await with_built_in_vectors(std::move(made));
    const std::string organization_id = made.front().organization_id;
    std::vector<std::int64_t> positions = positions_of(made);
    std::unique_ptr<EmbeddingWorker::Claim> claim;
    if (!all_embedded(made)) claim = parts_.worker.claim(positions);
    parts_.passages.insert(with, made);
    co_await parts_.database.commit(std::move(with));
    if (claim != nullptr) co_await parts_.worker.settle(std::move(claim), insert_patience);
    co_return co_await parts_.passages.at(organization_id, std::move(positions));
}

awaitable<void> PassageService::insert_quietly(storage::Transaction with, std::vector<Passage> made) const {
    made = co_await with_built_in_vectors(std::move(made));
    parts_.passages.insert(with, made);
    co_await parts_.database.commit(std::move(with));
    if (!all_embedded(made)) parts_.worker.wake();
}

awaitable<Passage> PassageService::update(Passage passage, PassageChange change) const {
    if (change == PassageChange::none) co_return passage;
    const bool text_changed = change == PassageChange::text;
    std::vector<Passage> one;
    one.push_back(std::move(passage));
    if (text_changed) {
        one.front().embedding.values.clear();
        one = co_await with_built_in_vectors(std::move(one));
    }
    const std::string organization_id = one.front().organization_id, id = one.front().id;
    std::vector<std::int64_t> positions{one.front().position};
    std::unique_ptr<EmbeddingWorker::Claim> claim;
    if (text_changed && !all_embedded(one)) claim = parts_.worker.claim(positions);
    storage::Transaction transaction;
    parts_.passages.update(transaction, one.front(), text_changed);
    co_await parts_.database.commit(std::move(transaction));
    if (claim != nullptr) co_await parts_.worker.settle(std::move(claim), insert_patience);
    auto stored = co_await parts_.passages.find(organization_id, id);
    if (!stored) throw not_found("Passage", id);
    co_return std::move(*stored);
}

awaitable<PassageService::Found> PassageService::search(knowledge::PassageQuery query,
                                                        std::vector<EmbeddingConfig> models) const {
    Found found;
    std::vector<knowledge::QueryVector> vectors;
    const bool blank = query.text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (query.mode != knowledge::SearchMode::text && !blank) {
        for (const EmbeddingConfig& model : models) {
            auto values = co_await parts_.embeddings.query(query.filter.organization_id, model, query.text);
            found.degraded = found.degraded || values == nullptr;
            if (values == nullptr) continue;
            knowledge::QueryVector& vector = vectors.emplace_back();
            vector.model_id = storage::embedding_model_id(query.filter.organization_id, model);
            vector.values = std::move(values);
        }
    }
    found.passages = co_await parts_.search.search(std::move(query), std::move(vectors));
    co_return found;
}

}  // namespace stele::runtime
