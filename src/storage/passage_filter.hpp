#pragma once

#include "storage/passage_repository.hpp"

namespace stele::storage {

/// "SELECT <columns> FROM <tables> WHERE ..." over `passage p`, joined in `tables`, for what `filter` lets through.
Select select_passages(const std::string& columns, const std::string& tables, const PassageFilter& filter);

}  // namespace stele::storage
