#include "knowledge/vector_arena.hpp"

#include "knowledge/dot.hpp"

#include <algorithm>

namespace stele::knowledge {
namespace {

constexpr std::size_t numbers_a_line = 16;

bool nearer(const NearVector& a, const NearVector& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.position > b.position;
}

}  // namespace

VectorArena::VectorArena(std::size_t dimensions)
    : dimensions_(dimensions), stride_((dimensions + numbers_a_line - 1) / numbers_a_line * numbers_a_line) {}

std::size_t VectorArena::bytes() const {
    constexpr std::size_t bytes_an_entry = 64;  // of the table of rows
    return numbers_.capacity() * sizeof(float) + positions_.capacity() * (2 * sizeof(std::int64_t) + bytes_an_entry);
}

void VectorArena::put(std::int64_t position, std::int64_t sequence, std::span<const float> values) {
    last_sequence_ = std::max(last_sequence_, sequence);
    if (values.size() != dimensions_) return;
    const auto [place, is_new] = rows_.emplace(position, positions_.size());
    const std::size_t index = place->second;
    if (is_new) {
        positions_.push_back(position);
        sequences_.push_back(sequence);
        numbers_.resize(numbers_.size() + stride_, 0.0F);
    } else if (sequences_[index] > sequence) {
        return;
    }
    sequences_[index] = sequence;
    const float scale = inverse_length(values);
    float* to = numbers_.data() + index * stride_;
    for (std::size_t i = 0; i < dimensions_; ++i) to[i] = values[i] * scale;
}

void VectorArena::remove(std::size_t index) {
    const std::size_t last = positions_.size() - 1;
    rows_.erase(positions_[index]);
    if (index != last) {
        std::copy_n(row(last), stride_, numbers_.data() + index * stride_);
        positions_[index] = positions_[last];
        sequences_[index] = sequences_[last];
        rows_[positions_[index]] = index;
    }
    positions_.pop_back();
    sequences_.pop_back();
    numbers_.resize(numbers_.size() - stride_);
}

void VectorArena::keep_only(std::span<const std::int64_t> positions, std::int64_t sequence) {
    for (std::size_t index = positions_.size(); index-- > 0;)
        if (sequences_[index] <= sequence && !std::binary_search(positions.begin(), positions.end(), positions_[index]))
            remove(index);
}

std::vector<NearVector> VectorArena::nearest(std::span<const float> query, std::size_t count,
                                             const std::vector<std::int64_t>* allowed) const {
    std::vector<NearVector> best;  // a heap whose front is the farthest
    if (query.size() != dimensions_ || count == 0) return best;
    std::vector<float, Aligned<float>> wanted(stride_, 0.0F);
    const float scale = inverse_length(query);
    for (std::size_t i = 0; i < dimensions_; ++i) wanted[i] = query[i] * scale;

    best.reserve(count + 1);
    const auto look_at = [&](std::size_t index) {
        NearVector each;
        each.position = positions_[index];
        each.similarity = dot(row(index), wanted.data(), stride_);
        if (best.size() == count && !nearer(each, best.front())) return;
        best.push_back(each);
        std::push_heap(best.begin(), best.end(), nearer);
        if (best.size() <= count) return;
        std::pop_heap(best.begin(), best.end(), nearer);
        best.pop_back();
    };
    if (allowed == nullptr)
        for (std::size_t index = 0; index < positions_.size(); ++index) look_at(index);
    else
        for (const std::int64_t position : *allowed)
            if (const auto found = rows_.find(position); found != rows_.end()) look_at(found->second);
    std::sort_heap(best.begin(), best.end(), nearer);
    return best;
}

}  // namespace stele::knowledge
