#include "knowledge/file_view.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <algorithm>

namespace stele::knowledge {
namespace {

constexpr char cut_note[] =
    "\n...[TRUNCATED]\n(This view is too long to be shown whole. Look at another part with open_files and an offset, "
    "or search with grep_files or semantic_search_files.)";

void demand_sense(FileKind kind, const ViewWindow& window, std::size_t units) {
    if (window.offset && *window.offset < 0)
        throw Error(ErrorCode::invalid_argument, "offset must be 0 or more, not " + std::to_string(*window.offset));
    if (window.offset && window.length && *window.length < 1)
        throw Error(ErrorCode::invalid_argument, "length must be 1 or more, not " + std::to_string(*window.length));
    const std::string word(unit_word(kind));
    if (window.offset && *window.offset > 0 && static_cast<std::size_t>(*window.offset) >= units)
        throw Error(ErrorCode::invalid_argument, "offset " + std::to_string(*window.offset) +
                                                     " lies behind the end: the file has " + std::to_string(units) +
                                                     " " + word);
}

}  // namespace

FileView view_of(FileKind kind, std::string_view text, const ViewWindow& window, std::int64_t characters_max,
                 bool keep_blank_lines) {
    const std::vector<Unit> units = view_units(kind, text, keep_blank_lines);
    demand_sense(kind, window, units.size());
    const std::size_t begin = static_cast<std::size_t>(window.offset.value_or(0));
    std::size_t end = units.size();
    if (window.offset && window.length)
        end = static_cast<std::size_t>(*window.length) < units.size() - begin
                  ? begin + static_cast<std::size_t>(*window.length)
                  : units.size();
    FileView view;
    const std::string of = " (out of " + std::to_string(units.size()) + " " + std::string(unit_word(kind)) + ")]";
    const std::string word(unit_word(kind));
    if (!window.offset) {
        view.text = "[Viewing file start" + of;
    } else {
        view.first = static_cast<std::int64_t>(begin) + 1;
        view.last = static_cast<std::int64_t>(end);
        view.text = "[Viewing " + word + " " + std::to_string(begin + 1) + " to " +
                    (window.length ? std::to_string(end) : "end") + of;
    }
    // Bytes are at least as many as characters, and at most four times as many.
    const auto bytes_max = static_cast<std::size_t>(std::max<std::int64_t>(characters_max, 0)) * 4 + 4;
    for (std::size_t i = begin; i < end && view.text.size() <= bytes_max; ++i)
        view.text += "\n" + std::to_string(i + 1) + ": " + unit_text(kind, text, units[i]);
    view.text = cut_view(std::move(view.text), characters_max);
    return view;
}

std::string cut_view(std::string view, std::int64_t characters_max) {
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(characters_max, 0));
    if (view.size() <= limit || code_points(view) <= limit) return view;
    const std::size_t note = sizeof cut_note - 1;
    const std::size_t kept = limit > note ? limit - note : limit;
    view.resize(first_code_points(view, kept).size());
    return view + cut_note;
}

}  // namespace stele::knowledge
