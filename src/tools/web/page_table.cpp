#include "tools/web/page_table.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t paragraphs_max = 3;  // of a cell

bool is_cell(std::string_view name) { return name == "td" || name == "th"; }
bool is_large_heading(std::string_view name) { return name == "h1" || name == "h2" || name == "h3"; }

std::vector<TableRow> rows_of(const xmlNode* table) {
    std::vector<TableRow> rows;
    for (const xmlNode* node = table; node != nullptr;) {
        const std::string_view name = name_of(node);
        if (name == "tr") rows.emplace_back();
        if (is_cell(name) && !rows.empty() && is_shown(node) && rows.back().size() < columns_max)
            rows.back().push_back(node);
        node = following(node, table, is_shown(node) && !is_cell(name));
    }
    std::erase_if(rows, [](const TableRow& row) { return row.empty(); });
    return rows;
}

bool holds_lines(const xmlNode* table) {
    std::size_t paragraphs = 0;
    for (const xmlNode* node = following(table, table, true); node != nullptr; node = following(node, table, true)) {
        const std::string_view name = name_of(node);
        if (name == "table" || name == "pre" || is_large_heading(name)) return false;
        if (is_cell(name)) paragraphs = 0;
        if (name == "p" && ++paragraphs > paragraphs_max) return false;
    }
    return true;
}

}  // namespace

std::vector<TableRow> data_rows(const xmlNode* table) {
    std::vector<TableRow> rows = rows_of(table);
    const bool several_columns =
        std::any_of(rows.begin(), rows.end(), [](const TableRow& row) { return row.size() > 1; });
    if (rows.size() < 2 || !several_columns || !holds_lines(table)) rows.clear();
    return rows;
}

}  // namespace stele::tools::web
