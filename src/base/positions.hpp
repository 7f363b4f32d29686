#pragma once

#include <cstdint>

namespace stele {

/// The first of `count` positions that follow each other, as if next_position() (time.hpp) had given them. Thread-safe.
std::int64_t next_positions(std::int64_t count);

}  // namespace stele
