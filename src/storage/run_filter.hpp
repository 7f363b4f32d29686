#pragma once

#include "storage/run_repository.hpp"

/// What a RunFilter is in SQL, where the run is "run r".
namespace stele::storage {

void add_filter(Select& select, const RunFilter& filter);

/// How many of the runs that match have a duration.
Select select_count_of_runs(const std::string& organization_id, const RunFilter& filter);

/// The duration of the `rank`-th fastest of them, from 1.
Select select_duration_at(const std::string& organization_id, const RunFilter& filter, std::int64_t rank);

}  // namespace stele::storage
