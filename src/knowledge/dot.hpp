#pragma once

#include <cstddef>
#include <span>

namespace stele::knowledge {

/// The dot product of two vectors of `size` numbers, in the widest arithmetic that this machine has. Sums differ in
/// their last bits from machine to machine.
float dot(const float* a, const float* b, std::size_t size);

/// What cosine similarity divides by: 1 over the length, 0 for the zero vector.
float inverse_length(std::span<const float> values);

}  // namespace stele::knowledge
