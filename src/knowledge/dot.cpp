#include "knowledge/dot.hpp"

#include <cmath>

namespace stele::knowledge {
namespace {

// Several sums at once, so that an addition need not wait for the one before it; the compiler makes wide arithmetic of
// it as far as the target goes.
template <std::size_t lanes>
[[gnu::always_inline]] inline float sum_of_products(const float* a, const float* b, std::size_t size) {
    float sums[lanes] = {};
    std::size_t i = 0;
    for (; i + lanes <= size; i += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    float sum = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) sum += sums[lane];
    for (; i < size; ++i) sum += a[i] * b[i];
    return sum;
}

using Dot = float (*)(const float*, const float*, std::size_t);

float dot_plain(const float* a, const float* b, std::size_t size) { return sum_of_products<16>(a, b, size); }

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float dot_avx2(const float* a, const float* b, std::size_t size) {
    return sum_of_products<32>(a, b, size);
}
[[gnu::target("avx512f")]] float dot_avx512(const float* a, const float* b, std::size_t size) {
    return sum_of_products<64>(a, b, size);
}
#endif

Dot widest() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return dot_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return dot_avx2;
#endif
    return dot_plain;
}

}  // namespace

float dot(const float* a, const float* b, std::size_t size) {
    static const Dot chosen = widest();
    return chosen(a, b, size);
}

float inverse_length(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum > 0 ? static_cast<float>(1 / std::sqrt(sum)) : 0.0F;
}

}  // namespace stele::knowledge
