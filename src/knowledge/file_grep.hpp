#pragma once

#include "knowledge/view_units.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace re2 {
class RE2;
}

namespace stele::knowledge {

/// A regular expression in the syntax of RE2: matches in linear time whatever it is. Case does not matter.
class GrepPattern {
public:
    /// Throws Error{invalid_argument}, worded for a model, for one that is empty, longer than 1000 characters or not
    /// understood: look-around and references back are not.
    explicit GrepPattern(const std::string& pattern);
    ~GrepPattern();
    GrepPattern(GrepPattern&&) noexcept;

    /// Whether it matches within `begin` to `end` of `text`, which alone has a start and an end for "^" and "$".
    bool matches(std::string_view text, std::size_t begin, std::size_t end) const;

    /// How many steps a byte takes at most.
    std::size_t steps_a_byte() const;

private:
    std::unique_ptr<re2::RE2> pattern_;
};

/// Which names `include` means: a glob ("*" is anything, "?" one character) over the whole name or its last part, or
/// else a regular expression for a part of it. Case does not matter.
class NameFilter {
public:
    /// Throws Error{invalid_argument} for a text that is neither.
    explicit NameFilter(const std::string& include);
    ~NameFilter();
    NameFilter(NameFilter&&) noexcept;

    bool takes(std::string_view name) const;

private:
    std::unique_ptr<re2::RE2> glob_, expression_;
};

/// Units (from 1) of a file that match, at most `most`. Stops at `deadline`, for which `timed_out` is set.
struct GrepMatches {
    std::vector<std::size_t> units;
    bool timed_out = false;
};
GrepMatches grep(const GrepPattern& pattern, FileKind kind, std::string_view text, const std::vector<Unit>& units,
                 std::size_t most, std::chrono::steady_clock::time_point deadline);

}  // namespace stele::knowledge
