#pragma once

#include "domain/file_type.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// The text of a file as agents see it: in units, which are counted from 1. A unit is a sentence of documentation
/// (white space runs are one blank) and a line of everything else, trimmed; code keeps its indentation. Blank lines are
/// left out, so that numbers are not those of an editor, unless the operator wants them to be.
namespace stele::knowledge {

/// Bytes of the text, from `begin` up to `end`, trimmed.
struct Unit {
    std::size_t begin = 0, end = 0;

    bool operator==(const Unit&) const = default;
};

/// The units of `text` (UTF-8), in order. `keep_blank_lines`: each line is one, blank or not.
std::vector<Unit> view_units(FileKind kind, std::string_view text, bool keep_blank_lines = false);

/// What is shown of a unit of `text`.
std::string unit_text(FileKind kind, std::string_view text, Unit unit);

/// "lines", or "sentences".
std::string_view unit_word(FileKind kind);

/// Which units (from 1) the bytes from `begin` up to `end` touch, of `units` in order; {0, 0}: none.
struct UnitSpan {
    std::size_t first = 0, last = 0;
};
UnitSpan units_within(const std::vector<Unit>& units, std::size_t begin, std::size_t end);

}  // namespace stele::knowledge
