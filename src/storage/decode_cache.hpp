#pragma once

#include "domain/json.hpp"

#include <string>
#include <unordered_map>

namespace stele::storage {

/// The struct in a stored JSON text, remembered by the text: the same settings and tool definitions are read on every
/// step, and reading them costs more than the rest of a load. One cache a thread, so no lock; bounded, it starts anew
/// when it is full. The reference holds until the next call for the same T on this thread.
template <class T>
const T& decoded(const std::string& text) {
    constexpr std::size_t entries_max = 256;
    thread_local std::unordered_map<std::string, T> cache;
    const auto found = cache.find(text);
    if (found != cache.end()) return found->second;
    if (cache.size() >= entries_max) cache.clear();
    return cache.emplace(text, decode_stored<T>(text)).first->second;
}

}  // namespace stele::storage
