#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <unordered_map>
#include <vector>

namespace stele::knowledge {

/// A vector near to what was asked for.
struct NearVector {
    std::int64_t position = 0;  ///< of its passage
    float similarity = 0;       ///< cosine, in [-1, 1]

    bool operator==(const NearVector&) const = default;
};

/// Vectors of one model, in one piece of memory, for exact search. Each has unit length here. No locks: whoever shares
/// one keeps readers and writers apart.
class VectorArena {
public:
    explicit VectorArena(std::size_t dimensions);

    std::size_t size() const { return positions_.size(); }
    std::size_t bytes() const;
    std::int64_t last_sequence() const { return last_sequence_; }
    bool holds(std::int64_t position) const { return rows_.contains(position); }

    void reserve(std::size_t vectors) { numbers_.reserve(vectors * stride_); }

    /// Takes a vector in, in the place of an older one. `values` of another size than `dimensions` is left out.
    void put(std::int64_t position, std::int64_t sequence, std::span<const float> values);

    /// Lets go of what is not among `positions` (rising), as they were when `sequence` was the newest.
    void keep_only(std::span<const std::int64_t> positions, std::int64_t sequence);

    /// The `count` nearest to `query` (any length), the nearest first; of those at one distance the newest first.
    /// `allowed`: rising positions that may be found; null: all.
    std::vector<NearVector> nearest(std::span<const float> query, std::size_t count,
                                    const std::vector<std::int64_t>* allowed) const;

private:
    template <class T>
    struct Aligned {  // a line of the cache, so that no load crosses two
        using value_type = T;
        Aligned() = default;
        template <class U>
        explicit Aligned(const Aligned<U>&) {}
        T* allocate(std::size_t count) {
            return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(64)));
        }
        void deallocate(T* memory, std::size_t) { ::operator delete(memory, std::align_val_t(64)); }
        bool operator==(const Aligned&) const = default;
    };

    const float* row(std::size_t index) const { return numbers_.data() + index * stride_; }
    void remove(std::size_t index);

    std::size_t dimensions_, stride_;
    std::vector<float, Aligned<float>> numbers_;
    std::vector<std::int64_t> positions_, sequences_;  // of each row
    std::unordered_map<std::int64_t, std::size_t> rows_;
    std::int64_t last_sequence_ = 0;
};

}  // namespace stele::knowledge
