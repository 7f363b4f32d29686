#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What a text asks a full-text search for. Pure; texts are UTF-8.
namespace stele::storage {

inline constexpr std::size_t search_terms_max = 64;  // of one query; what stands behind them is not looked for

struct SearchTerms {
    std::vector<std::string> terms;  ///< distinct, in the order of the text
    /// True if some are of a language that writes no spaces between words (Chinese, Japanese, Thai, ...) or glues
    /// particles on (Korean). An index whose tokenizer splits at spaces takes a sentence of those for one word, so they
    /// have to be looked for as parts of the text: a run of their characters comes as its pairs.
    bool dense = false;
};

SearchTerms search_terms(std::string_view text);

/// Every three characters in a row of such a language, for an index of trigrams, each once. Shorter runs give none.
std::vector<std::string> dense_trigrams(std::string_view text);

/// An FTS5 query for any of `terms`, each quoted, so that nothing in them is syntax. Empty if there are none.
std::string fts_query(const std::vector<std::string>& terms);

}  // namespace stele::storage
