#pragma once

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>

namespace stele {

/// How many rows or lines are worked on before others have their turn.
inline constexpr std::size_t rows_at_once = 100;

/// To be awaited: lets what else is ready on the coroutine's executor run first. For work on many rows, which would
/// keep short requests waiting. No coroutine itself: the fuzz targets compile this room with a clang that can't build
/// them.
inline auto let_others_run() { return boost::asio::post(boost::asio::deferred); }

}  // namespace stele
