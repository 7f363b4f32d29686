#include "storage/database.hpp"

namespace stele::storage {

double Row::real(std::size_t column) const {
    if (const auto* integer = std::get_if<std::int64_t>(&columns_.at(column))) return static_cast<double>(*integer);
    return std::get<double>(columns_.at(column));
}

std::optional<std::string> Row::optional_text(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}

std::optional<std::int64_t> Row::optional_integer(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

std::optional<bool> Row::optional_flag(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return flag(column);
}

Transaction::Added Transaction::add_packed(const Statement& statement, Params params) {
    items_.push_back(Item{Query{statement, std::move(params)}, std::nullopt, std::nullopt});
    return Added(items_.back());
}

}  // namespace stele::storage
