#include "knowledge/vector_index.hpp"

#include <algorithm>
#include <shared_mutex>

namespace stele::knowledge {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t rows_read_at_once = 1'000;

}  // namespace

/// The arena is locked by workers alone, for as long as they work on it; what an event loop asks for lies beside it.
struct VectorIndex::Copy {
    explicit Copy(std::size_t dimensions) : arena(dimensions) {}

    struct Facts {
        std::size_t size = 0, bytes = 0;
        std::int64_t last_sequence = 0;

        bool match(const storage::VectorsState& state) const {
            return size == static_cast<std::size_t>(state.count) && last_sequence == state.last_sequence;
        }
    };
    Facts facts() {
        const std::lock_guard lock(facts_mutex);
        return known;
    }
    void tell() {  // by who has just changed the arena, under its mutex
        const std::lock_guard lock(facts_mutex);
        known = {arena.size(), arena.bytes(), arena.last_sequence()};
    }

    std::shared_mutex mutex;
    VectorArena arena;
    std::mutex facts_mutex;
    Facts known;
};

std::shared_ptr<VectorIndex::Copy> VectorIndex::copy_of(const std::string& key, std::size_t dimensions) {
    const std::lock_guard lock(mutex_);
    if (auto known = copies_.find(key)) return std::move(*known);
    auto made = std::make_shared<Copy>(dimensions);
    copies_.put(key, made, 0);
    return made;
}

awaitable<void> VectorIndex::take_in(std::shared_ptr<Copy> copy, std::vector<storage::StoredVector> rows) {
    std::function<bool()> fill = [copy = std::move(copy), rows = std::move(rows)] {
        const std::unique_lock lock(copy->mutex);
        for (const storage::StoredVector& row : rows) copy->arena.put(row.position, row.sequence, row.values);
        copy->tell();
        return true;
    };
    co_await workers_.run(std::move(fill));
}

// What was deleted, and what a slower commit has put in front of the newest.
awaitable<void> VectorIndex::reconcile(std::shared_ptr<Copy> copy, std::string scope_id, std::string model_id) {
    const storage::VectorsState before = co_await vectors_.state(scope_id, model_id);
    if (copy->facts().match(before)) co_return;
    std::vector<std::int64_t> stored = co_await vectors_.positions(scope_id, model_id);
    std::function<std::vector<std::int64_t>()> compare = [copy, stored = std::move(stored), before]() mutable {
        std::sort(stored.begin(), stored.end());
        const std::unique_lock lock(copy->mutex);
        copy->arena.keep_only(stored, before.last_sequence);
        copy->tell();
        std::erase_if(stored, [&](std::int64_t position) { return copy->arena.holds(position); });
        return std::move(stored);
    };
    const std::vector<std::int64_t> missing = co_await workers_.run(std::move(compare));
    for (std::size_t at = 0; at < missing.size(); at += rows_read_at_once) {
        const std::size_t end = std::min(missing.size(), at + rows_read_at_once);
        std::vector<std::int64_t> some(missing.begin() + static_cast<std::ptrdiff_t>(at),
                                       missing.begin() + static_cast<std::ptrdiff_t>(end));
        std::vector<storage::StoredVector> rows = co_await vectors_.at(scope_id, model_id, std::move(some));
        co_await take_in(copy, std::move(rows));
    }
}

awaitable<void> VectorIndex::bring_up_to_date(std::shared_ptr<Copy> copy, std::string scope_id, std::string model_id,
                                              storage::VectorsState state) {
    Copy::Facts facts = copy->facts();
    if (facts.size == 0 && state.count > 0) {
        std::function<bool()> make_room = [copy, count = static_cast<std::size_t>(state.count)] {
            const std::unique_lock lock(copy->mutex);
            copy->arena.reserve(count);
            return true;
        };
        co_await workers_.run(std::move(make_room));
    }
    while (facts.last_sequence < state.last_sequence) {
        std::vector<storage::StoredVector> rows =
            co_await vectors_.after(scope_id, model_id, facts.last_sequence, rows_read_at_once);
        if (rows.empty()) break;
        co_await take_in(copy, std::move(rows));
        facts = copy->facts();
    }
    if (facts.match(state)) co_return;
    co_await reconcile(std::move(copy), std::move(scope_id), std::move(model_id));
}

awaitable<std::vector<NearVector>> VectorIndex::nearest(std::string scope_id, std::string model_id,
                                                        std::shared_ptr<const std::vector<float>> query,
                                                        std::size_t count,
                                                        std::shared_ptr<const std::vector<std::int64_t>> allowed) {
    const storage::VectorsState state = co_await vectors_.state(scope_id, model_id);
    if (state.count == 0) co_return std::vector<NearVector>();
    const std::string key = scope_id + ' ' + model_id + ' ' + std::to_string(query->size());
    std::shared_ptr<Copy> copy = copy_of(key, query->size());
    co_await bring_up_to_date(copy, std::move(scope_id), std::move(model_id), state);
    {
        const Copy::Facts facts = copy->facts();
        const std::lock_guard lock(mutex_);
        copies_.put(key, copy, facts.bytes);
    }
    std::function<std::vector<NearVector>()> look = [copy, query, count, allowed] {
        const std::shared_lock lock(copy->mutex);
        return copy->arena.nearest(*query, count, allowed.get());
    };
    co_return co_await workers_.run(std::move(look));
}

}  // namespace stele::knowledge
