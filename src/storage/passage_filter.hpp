#pragma once

#include "storage/passage_repository.hpp"

namespace stele::storage {

/// "SELECT <columns> FROM <tables> WHERE ..." over `passage p`, joined in `tables`, for what `filter` lets through.
Select select_passages(const std::string& columns, const std::string& tables, const PassageFilter& filter);

/// Lets `select` keep rows whose `column` is among `positions` (not empty). Few texts of SQL serve every length.
void where_position(Select& select, const std::string& column, std::vector<std::int64_t> positions);

}  // namespace stele::storage
