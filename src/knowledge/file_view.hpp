#pragma once

#include "knowledge/view_units.hpp"

#include <cstdint>
#include <optional>

namespace stele::knowledge {

/// Which part of a file is to be seen: `offset` counts units from 0; without `length` to the end.
struct ViewWindow {
    std::optional<std::int64_t> offset;
    std::optional<std::int64_t> length;  ///< of no effect without an offset
};

/// What an open file shows.
struct FileView {
    std::string text;  ///< a line that tells the part, then "N: unit" a line; no newline at the end
    std::optional<std::int64_t> first, last;  ///< units from 1, of a window that was asked for
};

/// Throws Error{invalid_argument}, worded for a model, for a negative offset, a length below 1, or a window that begins
/// behind the last unit. `characters_max`: what is longer is cut and says so; at least that much is kept of the front.
FileView view_of(FileKind kind, std::string_view text, const ViewWindow& window, std::int64_t characters_max,
                 bool keep_blank_lines);

/// `view` cut to `characters_max` code points, with a marker and a note at its end if anything had to go.
std::string cut_view(std::string view, std::int64_t characters_max);

}  // namespace stele::knowledge
