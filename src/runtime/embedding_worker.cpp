#include "runtime/embedding_worker.hpp"

#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <iterator>

namespace stele::runtime {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::size_t batches_at_once = 3;
constexpr std::size_t batch_passages_max = 256;
constexpr std::int64_t read_at_once = 512;
constexpr std::chrono::milliseconds patience_of_the_loop = std::chrono::minutes(2);
constexpr std::chrono::seconds sleep_after_failure{1};
constexpr std::chrono::minutes sleep_max{10};
constexpr std::chrono::minutes waits[] = {std::chrono::minutes(1), std::chrono::minutes(5), std::chrono::minutes(30)};

// Of one model each, in order.
std::vector<std::vector<storage::QueuedPassage>> batches_of(std::vector<storage::QueuedPassage> passages) {
    std::stable_sort(passages.begin(), passages.end(),
                     [](const auto& a, const auto& b) { return a.model_id < b.model_id; });
    std::vector<std::vector<storage::QueuedPassage>> batches;
    for (storage::QueuedPassage& passage : passages) {
        const auto size = static_cast<std::size_t>(
            std::clamp<std::int64_t>(passage.config.batch_size, 1, std::int64_t{batch_passages_max}));
        if (batches.empty() || batches.back().front().model_id != passage.model_id || batches.back().size() >= size)
            batches.emplace_back();
        batches.back().push_back(std::move(passage));
    }
    return batches;
}

// Whether the failure is that of this text, or may be: then the others are tried without it.
bool is_about_the_texts(const Error& error) {
    return error.type == "llm_context_overflow" || error.type == "llm_bad_request";
}

std::optional<Timestamp> next_attempt(const storage::QueuedPassage& passage, const Error& failure) {
    const bool passes = failure.type == "llm_authentication" || failure.type == "llm_insufficient_credits";
    if (is_about_the_texts(failure) || (failure.final && !passes)) return std::nullopt;
    const auto last = static_cast<std::int64_t>(std::size(waits)) - 1;
    return now() + waits[std::min(passage.attempts, last)];
}

}  // namespace

EmbeddingWorker::Claim::Claim(EmbeddingWorker& worker, std::vector<std::int64_t> positions)
    : worker_(worker), positions_(std::move(positions)), presence_(worker.at_work_) {
    const std::lock_guard lock(worker_.mutex_);
    worker_.claimed_.insert(positions_.begin(), positions_.end());
}

EmbeddingWorker::Claim::~Claim() {
    {
        const std::lock_guard lock(worker_.mutex_);
        for (const std::int64_t position : positions_) worker_.claimed_.erase(worker_.claimed_.find(position));
    }
    worker_.wake();  // to whatever of it is left
}

EmbeddingWorker::Batch EmbeddingWorker::without_claimed(Batch batch) const {
    const std::lock_guard lock(mutex_);
    std::erase_if(batch, [&](const storage::QueuedPassage& each) { return claimed_.contains(each.position); });
    return batch;
}

awaitable<void> EmbeddingWorker::settle(std::unique_ptr<Claim> claim, std::chrono::milliseconds patience) {
    Batch waiting = co_await parts_.vectors.waiting(claim->positions());
    const std::vector<std::string> left_alone = parts_.embeddings.left_alone();
    std::erase_if(waiting, [&](const storage::QueuedPassage& each) {
        return std::find(left_alone.begin(), left_alone.end(), each.model_id) != left_alone.end();
    });
    std::vector<Batch> batches = batches_of(std::move(waiting));
    co_await embed_together(std::move(batches), patience);
}

awaitable<void> EmbeddingWorker::run() {
    const std::shared_ptr<void> presence = at_work_;
    Alarm::Round round = [this] { return embed_due(); };
    co_await alarm_.go_on("embeddings.not_stored", sleep_after_failure, std::move(round));
}

// How long to sleep then. Models that are left alone at present keep nobody waiting.
awaitable<std::chrono::milliseconds> EmbeddingWorker::embed_due() {
    std::vector<std::string> left_alone = parts_.embeddings.left_alone();
    const bool all_asked = left_alone.empty();
    std::size_t claimed = 0;
    {
        const std::lock_guard lock(mutex_);
        claimed = claimed_.size();
    }
    Batch due =
        co_await parts_.vectors.due(now(), std::move(left_alone), read_at_once + static_cast<std::int64_t>(claimed));
    due = without_claimed(std::move(due));
    if (!due.empty()) {
        std::vector<Batch> batches = batches_of(std::move(due));
        co_await embed_together(std::move(batches), patience_of_the_loop);
        co_return std::chrono::milliseconds(0);
    }
    std::chrono::milliseconds sleep = sleep_max;
    if (const auto again = parts_.embeddings.until_asked_again()) sleep = std::min(sleep, *again);
    const auto next = co_await parts_.vectors.next_due();
    if (next && all_asked && claimed == 0) {
        const auto until = std::chrono::ceil<std::chrono::milliseconds>(*next - now());
        sleep = std::clamp<std::chrono::milliseconds>(until, std::chrono::milliseconds(1), sleep);
    }
    co_return sleep;
}

awaitable<void> EmbeddingWorker::embed_together(std::vector<Batch> batches, std::chrono::milliseconds patience) {
    const auto executor = co_await asio::this_coro::executor;
    for (std::size_t at = 0; at < batches.size(); at += batches_at_once) {
        const auto begin = [&](Batch& batch) {
            return asio::co_spawn(executor, embed_batch(std::move(batch), patience), asio::deferred);
        };
        std::vector<decltype(begin(batches.front()))> running;
        for (std::size_t i = at; i < std::min(batches.size(), at + batches_at_once); ++i)
            running.push_back(begin(batches[i]));
        auto group = asio::experimental::make_parallel_group(std::move(running));
        const auto [order, failures] =
            co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
        for (const std::exception_ptr& failure : failures)
            if (failure) std::rethrow_exception(failure);
        if (alarm_.stopped()) co_return;
    }
}

// One text that is too long, or that the model refuses, does not keep the others from their vectors.
awaitable<void> EmbeddingWorker::embed_batch(Batch batch, std::chrono::milliseconds patience) {
    std::vector<std::string> texts;
    for (const storage::QueuedPassage& each : batch) texts.push_back(each.text);
    std::optional<Error> failure;
    std::vector<std::vector<float>> made;
    try {
        made = co_await parts_.embeddings.embed(batch.front().organization_id, batch.front().config, std::move(texts),
                                                patience);
    } catch (const Error& error) {
        if (error.code != ErrorCode::model_failed) throw;
        failure = error;
    }
    if (!failure) {
        co_await store(std::move(batch), std::move(made));
    } else if (batch.size() > 1 && is_about_the_texts(*failure)) {
        const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
        Batch second(std::make_move_iterator(middle), std::make_move_iterator(batch.end()));
        batch.erase(middle, batch.end());
        co_await embed_batch(std::move(batch), patience);
        co_await embed_batch(std::move(second), patience);
    } else {
        co_await put_off(std::move(batch), std::move(*failure));
    }
}

awaitable<void> EmbeddingWorker::store(Batch batch, std::vector<std::vector<float>> made) {
    storage::Transaction transaction;
    for (std::size_t i = 0; i < batch.size(); ++i) parts_.vectors.put(transaction, batch[i], made[i]);
    const std::string model_id = batch.front().model_id;
    bool recovered = false;
    {
        const std::lock_guard lock(mutex_);
        recovered = failing_models_.erase(model_id) > 0;
    }
    if (recovered) parts_.vectors.hurry(transaction, model_id);
    co_await parts_.database.commit(std::move(transaction));
    log::debug("embeddings.made", {{"model_id", model_id}, {"passages", batch.size()}});
}

awaitable<void> EmbeddingWorker::put_off(Batch batch, Error failure) {
    storage::Transaction transaction;
    for (const storage::QueuedPassage& each : batch)
        parts_.vectors.put_failed(transaction, each, next_attempt(each, failure));
    const EmbeddingConfig& config = batch.front().config;
    log::warn("embeddings.failed", {{"model", config.handle.value_or(config.embedding_model)},
                                    {"passages", batch.size()},
                                    {"type", failure.type},
                                    {"why", failure.what()}});
    {
        const std::lock_guard lock(mutex_);
        failing_models_.insert(batch.front().model_id);
    }
    co_await parts_.database.commit(std::move(transaction));
}

}  // namespace stele::runtime
