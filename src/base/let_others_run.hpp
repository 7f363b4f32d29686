#pragma once

#include <boost/asio/awaitable.hpp>

namespace stele {

/// How many rows or lines are worked on before others have their turn.
inline constexpr std::size_t rows_at_once = 100;

/// Lets what else is ready on this thread run first: for work on many rows, which would keep short requests waiting.
boost::asio::awaitable<void> let_others_run();

}  // namespace stele
