#pragma once

#include <string_view>
#include <vector>

namespace stele::llm {

inline constexpr int hash_embedding_dim = 384;

/// The built-in embedding `stele/hash`: signed feature hashing (Weinberger et al. 2009, arXiv 0902.2206) of words,
/// pairs of words and character trigrams, unit length. The same text gives the same vector on every machine. Texts that
/// share words or parts of words are close; it knows nothing of meaning. An empty text gives the zero vector.
std::vector<float> hash_embedding(std::string_view text);

}  // namespace stele::llm
