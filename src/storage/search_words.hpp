#pragma once

#include <string>
#include <string_view>

/// Words for a full-text index whose tokenizer parts them at spaces, also of languages that write none (Chinese,
/// Japanese, Korean, Thai, Lao, Khmer, Burmese): each of their characters is made a word of its own, and a query asks
/// for pairs that stand side by side. Pure; texts are UTF-8.
namespace stele::storage {

/// `text` as it is indexed: with spaces around every character of such a language.
std::string search_text(std::string_view text);

/// An FTS5 query for any of the words of `text`, each quoted, so that nothing in them is syntax. Empty if it has none.
std::string search_query(std::string_view text);

}  // namespace stele::storage
