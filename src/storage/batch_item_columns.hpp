#pragma once

#include "storage/batch_repository.hpp"

// Inside storage/ alone: the columns of a batch's item, in the order that to_batch_item takes, `i` being the item and
// `b` its batch.
#define STELE_BATCH_ITEM_COLUMNS                                                                           \
    "i.id, i.batch_id, i.agent_id, i.run_id, i.request, b.organization_id, b.created_by_id, b.created_at," \
    " i.answered_by, i.answer"

namespace stele::storage {

inline constexpr std::size_t batch_item_columns = 10;

BatchItem to_batch_item(Row& row);

}  // namespace stele::storage
