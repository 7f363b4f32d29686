#include "domain/text_diff.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace stele {
namespace {

constexpr std::size_t context_lines = 3;

using Lines = std::vector<std::string_view>;

enum class Edit : std::uint8_t { keep, remove, add };

Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

// How far in `before` each diagonal (place in `before` less place in `after`) was reached, from -edits - 1 on: before
// the first edit was made, before the second ... Empty if more than the most are needed.
using Trace = std::vector<std::vector<std::ptrdiff_t>>;

// The diagonal from which the edit number `edits` comes to `diagonal`: one above it adds a line, one below removes one.
std::ptrdiff_t origin(const std::vector<std::ptrdiff_t>& reached, std::ptrdiff_t edits, std::ptrdiff_t diagonal) {
    const auto at = [&](std::ptrdiff_t k) { return reached[static_cast<std::size_t>(k + edits + 1)]; };
    const bool adds = diagonal == -edits || (diagonal != edits && at(diagonal - 1) < at(diagonal + 1));
    return adds ? diagonal + 1 : diagonal - 1;
}

Trace trace_of(const Lines& before, const Lines& after) {
    const auto n = static_cast<std::ptrdiff_t>(before.size()), m = static_cast<std::ptrdiff_t>(after.size());
    std::vector<std::ptrdiff_t> reached{0, 0, 0};  // of the diagonals -edits - 1 to edits + 1
    Trace trace;
    for (std::ptrdiff_t edits = 0; edits <= static_cast<std::ptrdiff_t>(text_diff_edits_max); ++edits) {
        trace.push_back(reached);
        std::vector<std::ptrdiff_t> next(static_cast<std::size_t>(2 * edits + 5), 0);
        for (std::ptrdiff_t diagonal = -edits; diagonal <= edits; diagonal += 2) {
            const std::ptrdiff_t from = origin(reached, edits, diagonal);
            std::ptrdiff_t x = reached[static_cast<std::size_t>(from + edits + 1)] + (from < diagonal ? 1 : 0);
            if (edits == 0) x = 0;
            while (x < n && x - diagonal < m &&
                   before[static_cast<std::size_t>(x)] == after[static_cast<std::size_t>(x - diagonal)])
                ++x;
            next[static_cast<std::size_t>(diagonal + edits + 2)] = x;
            if (x >= n && x - diagonal >= m) return trace;
        }
        reached = std::move(next);
    }
    return {};
}

// The edits that turn `before` into `after`, in order.
std::vector<Edit> edits_of(const Lines& before, const Lines& after) {
    std::vector<Edit> made;
    const Trace trace = trace_of(before, after);
    if (trace.empty()) {
        made.assign(before.size(), Edit::remove);
        made.insert(made.end(), after.size(), Edit::add);
        return made;
    }
    auto x = static_cast<std::ptrdiff_t>(before.size()), y = static_cast<std::ptrdiff_t>(after.size());
    for (auto edits = static_cast<std::ptrdiff_t>(trace.size()) - 1; edits > 0; --edits) {
        const auto& reached = trace[static_cast<std::size_t>(edits)];
        const std::ptrdiff_t diagonal = x - y, from = origin(reached, edits, diagonal);
        const std::ptrdiff_t from_x = reached[static_cast<std::size_t>(from + edits + 1)], from_y = from_x - from;
        for (; x > from_x && y > from_y; --x, --y) made.push_back(Edit::keep);
        made.push_back(from > diagonal ? Edit::add : Edit::remove);
        x = from_x;
        y = from_y;
    }
    made.insert(made.end(), static_cast<std::size_t>(x), Edit::keep);
    std::reverse(made.begin(), made.end());
    return made;
}

std::string range(std::size_t begin, std::size_t count) {
    return std::to_string(count == 0 ? begin : begin + 1) + (count == 1 ? "" : "," + std::to_string(count));
}

}  // namespace

std::string text_diff(std::string_view before, std::string_view after) {
    if (before == after) return {};
    Lines old_lines = lines_of(before), new_lines = lines_of(after);
    // What both begin and end with costs nothing.
    std::size_t same = 0, tail = 0;
    const std::size_t shorter = std::min(old_lines.size(), new_lines.size());
    while (same < shorter && old_lines[same] == new_lines[same]) ++same;
    while (tail < shorter - same && old_lines.rbegin()[static_cast<std::ptrdiff_t>(tail)] ==
                                        new_lines.rbegin()[static_cast<std::ptrdiff_t>(tail)])
        ++tail;
    const auto middle = [&](const Lines& lines) {
        return Lines(lines.begin() + static_cast<std::ptrdiff_t>(same),
                     lines.end() - static_cast<std::ptrdiff_t>(tail));
    };
    std::vector<Edit> edits(same, Edit::keep);
    for (const Edit edit : edits_of(middle(old_lines), middle(new_lines))) edits.push_back(edit);
    edits.insert(edits.end(), tail, Edit::keep);

    std::string out;
    std::size_t i = 0, old_line = 0, new_line = 0;
    while (i < edits.size()) {
        if (edits[i] == Edit::keep) {
            ++i, ++old_line, ++new_line;
            continue;
        }
        // A hunk: from three lines before this change to three behind the last that is near.
        const std::size_t lead = std::min({context_lines, i, old_line, new_line});
        std::size_t end = i, quiet = 0;
        for (std::size_t j = i; j < edits.size() && quiet <= 2 * context_lines; ++j) {
            quiet = edits[j] == Edit::keep ? quiet + 1 : 0;
            if (quiet == 0) end = j + 1;
        }
        end = std::min(end + context_lines, edits.size());
        std::size_t x = old_line - lead, y = new_line - lead, removed = 0, added = 0;
        const std::size_t first_old = x, first_new = y;
        std::string lines;
        for (std::size_t j = i - lead; j < end; ++j) {
            const bool from_new = edits[j] == Edit::add;
            lines += edits[j] == Edit::keep ? ' ' : from_new ? '+' : '-';
            lines += from_new ? new_lines[y] : old_lines[x];
            lines += '\n';
            if (!from_new) ++x, ++removed;
            if (edits[j] != Edit::remove) ++y, ++added;
        }
        out += "@@ -" + range(first_old, removed) + " +" + range(first_new, added) + " @@\n" + lines;
        i = end, old_line = x, new_line = y;
    }
    return out;
}

}  // namespace stele
