#include "llm/hash_embedding.hpp"

#include <cmath>
#include <cstdint>
#include <string>

namespace stele::llm {
namespace {

constexpr float word_weight = 1.0F;
constexpr float pair_weight = 0.5F;
constexpr float trigram_weight = 0.25F;

// FNV-1a and a final mix, so that all bits of the result depend on all bytes.
std::uint64_t hash_of(std::string_view text, char kind) {
    std::uint64_t hash = (14695981039346656037u ^ static_cast<unsigned char>(kind)) * 1099511628211u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    return hash;
}

void add(std::vector<float>& vector, std::string_view feature, char kind, float weight) {
    const std::uint64_t hash = hash_of(feature, kind);
    vector[hash % vector.size()] += (hash >> 63) != 0 ? weight : -weight;
}

// Lower-case ASCII; other bytes belong to words as they are.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || std::isalnum(byte) != 0) {
            word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

}  // namespace

std::vector<float> hash_embedding(std::string_view text) {
    std::vector<float> vector(hash_embedding_dim, 0.0F);
    const std::vector<std::string> words = words_of(text);
    for (std::size_t i = 0; i < words.size(); ++i) {
        add(vector, words[i], 'w', word_weight);
        if (i > 0) add(vector, words[i - 1] + " " + words[i], 'p', pair_weight);
        const std::string framed = "^" + words[i] + "$";
        for (std::size_t at = 0; at + 3 <= framed.size(); ++at) add(vector, framed.substr(at, 3), 't', trigram_weight);
    }
    float squares = 0;
    for (const float value : vector) squares += value * value;
    if (squares > 0)
        for (float& value : vector) value /= std::sqrt(squares);
    return vector;
}

}  // namespace stele::llm
