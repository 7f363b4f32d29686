#pragma once

#include "api/route.hpp"
#include "runtime/passage_service.hpp"

namespace stele::api {

/// What a search of passages has found: PassageSearchResult[], and the header below if it had to do without vectors.
Response passage_hits(runtime::PassageService::Found found);

inline constexpr char degraded_header[] = "X-Letta-Search-Degraded";

}  // namespace stele::api
