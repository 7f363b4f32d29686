#include "tools/web/markdown_writer.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

constexpr std::string_view no_break_space = "\xc2\xa0", soft_hyphen = "\xc2\xad";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

void trim_line_end(std::string& text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
}

}  // namespace

void MarkdownWriter::begin_line() {
    for (Level& level : levels_) {
        if (level.marker.empty()) {
            out_ += level.indent;
        } else {
            out_ += level.marker;
            level.marker.clear();
        }
    }
}

void MarkdownWriter::prepare() {
    if (at_start_) {
        begin_line();
        at_start_ = false;
        breaks_ = 0;
    } else if (breaks_ > 0) {
        trim_line_end(out_);
        for (; breaks_ > 1; --breaks_) {
            out_ += '\n';
            for (const Level& level : levels_)  // an empty line is still one of its quote
                if (level.marker.empty() && level.indent.starts_with('>')) out_ += level.indent;
            trim_line_end(out_);
        }
        breaks_ = 0;
        out_ += '\n';
        begin_line();
    } else if (space_) {
        out_ += ' ';
    }
    space_ = false;
    for (const std::string& mark : pending_) out_ += mark;
    pending_.clear();
}

void MarkdownWriter::text(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_blank(text[i])) {
            space_ = true;
            continue;
        }
        const std::string_view rest = text.substr(i);
        if (rest.starts_with(no_break_space)) {
            space_ = true;
            ++i;
            continue;
        }
        if (rest.starts_with(soft_hyphen)) {
            ++i;
            continue;
        }
        const bool begins_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
        if (full() && begins_character) return;
        if (at_start_ || breaks_ > 0 || space_ || !pending_.empty()) prepare();
        if (in_cell_ && text[i] == '|') out_ += '\\';
        out_ += text[i];
    }
}

void MarkdownWriter::verbatim(std::string_view text) {
    for (std::size_t begin = 0; begin <= text.size() && !full();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        if (begin > 0) {
            out_ += '\n';
            begin_line();
        } else if (at_start_ || breaks_ > 0 || space_ || !pending_.empty()) {
            prepare();
        }
        out_ += first_bytes(text.substr(begin, end - begin), bytes_max_ - std::min(out_.size(), bytes_max_));
        begin = end + 1;
    }
}

void MarkdownWriter::close(std::string_view mark) {
    if (pending_.empty())
        out_ += mark;
    else
        pending_.pop_back();
}

void MarkdownWriter::line() {
    if (flat())
        space_ = true;
    else
        breaks_ = std::max(breaks_, 1);
}

void MarkdownWriter::block() {
    if (flat())
        space_ = true;
    else
        breaks_ = std::max(breaks_, 2);
}

void MarkdownWriter::enter(std::string marker, std::string indent) {
    levels_.push_back({std::move(marker), std::move(indent)});
}

void MarkdownWriter::leave() { levels_.pop_back(); }

}  // namespace stele::tools::web
