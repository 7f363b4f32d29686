#pragma once

#include "domain/json.hpp"

namespace stele {

// {{name}} in a text stands for a value. A name begins with a letter or '_' and goes on with letters, digits, '_', '.'
// and '-'; spaces may stand inside the braces. "\{{" is a "{{" that means nothing.

/// The names in `text`, each once, in the order in which they come.
std::vector<std::string> variables_in(std::string_view text);

/// `text` with each variable replaced once: what a value holds is not looked at again. Those without a value stay.
std::string with_values(std::string_view text, const TextMap& values);

/// The value of `key`, or null.
const std::string* value_of(const TextMap& values, std::string_view key);

/// `over` laid over `values`.
TextMap merged(TextMap values, const TextMap& over);

}  // namespace stele
