#pragma once

#include "tools/web/page_tree.hpp"

#include <vector>

// Inside web/ alone.
namespace stele::tools::web {

/// The cells of one row.
using TableRow = std::vector<const xmlNode*>;

/// The rows of a <table> that Markdown can show, those of tables within its cells aside. Empty for one that only
/// arranges its page: of one column or row, or with cells that hold what no line can (another table, code, headings,
/// many paragraphs).
std::vector<TableRow> data_rows(const xmlNode* table);

}  // namespace stele::tools::web
