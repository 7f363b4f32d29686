#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::tools::edits {

/// A text as its lines. Where every line break is "\r\n", that is the text's way to break lines and no part of them;
/// else a '\r' is a character like others. An empty text has no line.
struct Lines {
    explicit Lines(std::string_view text);

    std::string text() const;

    std::vector<std::string> lines;
    bool crlf = false;
};

/// The lines of what a model wrote, without their breaks of either form; an empty text has one empty line.
std::vector<std::string> lines_of(std::string_view text);

/// text.find(part, from), in linear time whatever the two hold: std::string looks at all of `part` from every place.
std::size_t find_in(std::string_view text, std::string_view part, std::size_t from);

/// The places in `lines`, from `from` on, at which all of `part` stands; overlapping ones too. Linear as well.
std::vector<std::size_t> places_in(const std::vector<std::string>& lines, const std::vector<std::string>& part,
                                   std::size_t from);

/// `text` in quotes for a message, cut when it is long.
std::string quoted(std::string_view text);

}  // namespace stele::tools::edits
