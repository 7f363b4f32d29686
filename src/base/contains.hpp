#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// True if `item` is one of `list`.
inline bool contains(const std::vector<std::string>& list, std::string_view item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace stele
