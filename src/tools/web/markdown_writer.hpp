#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::tools::web {

/// Puts Markdown together piece by piece. White space collapses as in a browser, blocks are parted by one empty line,
/// lines within lists and quotes get their indent, and marks around nothing (an empty link) leave nothing behind.
class MarkdownWriter {
public:
    /// Stops taking text behind `bytes_max`.
    explicit MarkdownWriter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    /// Text of the page, with white space as it stands there.
    void text(std::string_view text);

    /// Text as it is, for code: each line break begins a line.
    void verbatim(std::string_view text);

    /// A mark of ours, like the "**" before strong text: written with the text that follows it, or not at all.
    void open(std::string mark) { pending_.push_back(std::move(mark)); }

    /// The other end of the latest mark that is open. Nothing, if no text came between.
    void close(std::string_view mark);

    /// What follows begins a new line, or a new block behind an empty line. Within `flat` text: a space.
    void line();
    void block();

    /// What follows stands behind `marker`, its further lines are indented by `indent`; up to leave().
    void enter(std::string marker, std::string indent);
    void leave();

    /// Text of one line only, up to the matching end_flat: headings, links, cells of tables.
    void begin_flat() { ++flat_; }
    void end_flat() { --flat_; }
    bool flat() const { return flat_ > 0; }

    /// Within cells '|' is escaped.
    void set_in_cell(bool in_cell) { in_cell_ = in_cell; }

    bool full() const { return out_.size() >= bytes_max_; }
    std::string take() { return std::move(out_); }

private:
    struct Level {
        std::string marker;  ///< until it is written
        std::string indent;
    };

    void prepare();  ///< breaks, indents, a space and marks that are due before text
    void begin_line();

    std::size_t bytes_max_;
    std::string out_;
    std::vector<std::string> pending_;
    std::vector<Level> levels_;
    int breaks_ = 0;
    bool space_ = false;
    bool at_start_ = true;
    int flat_ = 0;
    bool in_cell_ = false;
};

}  // namespace stele::tools::web
