#pragma once

#include "api/request.hpp"

namespace stele::api {

/// The paging of the lists that only the hosted product had: `limit` (1-100, 50 where none is given) and `offset`.
struct OffsetPage {
    std::int64_t limit = 50;
    std::int64_t offset = 0;
};

/// Throws Error{invalid_argument} (400) for a bad one.
OffsetPage offset_page(const Query& query);

/// One row more than the limit was read: takes it away and tells whether it was there.
template <class T>
bool cut_to(std::vector<T>& rows, std::int64_t limit) {
    if (rows.size() <= static_cast<std::size_t>(limit)) return false;
    rows.resize(static_cast<std::size_t>(limit));
    return true;
}

}  // namespace stele::api
