#include "knowledge/chunker.hpp"

#include <algorithm>
#include <cstdint>

namespace stele::knowledge {
namespace {

constexpr std::size_t bytes_of_token = 4;
constexpr std::size_t heading_levels = 6, headings_bytes_max = 500;
constexpr std::size_t chunks_max = 200'000;  // of one text, each a row; larger texts are cut into larger chunks

// How good a place is to cut in front of it; the better the greater.
enum class Place : std::uint8_t { character, word, sentence, line, top_level, after_blank, heading };

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }
bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

struct Line {
    std::size_t begin = 0;
    bool blank = false;
    std::size_t heading = 0;  ///< its level; 0: none
};

std::size_t heading_level(std::string_view line) {
    const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
    return level >= 1 && level <= heading_levels && (level == line.size() || line[level] == ' ') ? level : 0;
}

std::vector<Line> lines_of(FileKind kind, std::string_view text) {
    std::vector<Line> lines;
    bool fenced = false;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view content = text.substr(begin, end - begin);
        while (!content.empty() && is_space(content.back())) content.remove_suffix(1);
        Line line;
        line.begin = begin;
        line.blank = content.empty();
        const bool fence = content.starts_with("```") || content.starts_with("~~~");
        if (kind == FileKind::documentation && fence) fenced = !fenced;
        if (kind == FileKind::documentation && !fenced) line.heading = heading_level(content);
        lines.push_back(line);
        begin = end + 1;
    }
    return lines;
}

class Cutter {
public:
    Cutter(FileKind kind, std::string_view text, ChunkSizes sizes)
        : kind_(kind),
          text_(text),
          lines_(lines_of(kind, text)),
          // A chunk goes on behind the one before by a quarter of its size at least.
          most_(std::max(
              {std::min(sizes.tokens, text.size()) * bytes_of_token, bytes_of_token, text.size() / (chunks_max / 4)})),
          overlap_(std::min(sizes.overlap_tokens * bytes_of_token, most_ / 4)) {}

    std::vector<Chunk> cut() {
        std::vector<Chunk> chunks;
        for (std::size_t begin = 0; begin < text_.size();) {
            const std::size_t end = text_.size() - begin <= most_ ? text_.size() : best_cut(begin);
            add(chunks, begin, end);
            begin = end == text_.size() ? end : next_begin(begin, end);
        }
        return chunks;
    }

private:
    std::size_t line_at(std::size_t place) const {  // the line that holds it
        const auto behind = std::upper_bound(lines_.begin(), lines_.end(), place,
                                             [](std::size_t at, const Line& line) { return at < line.begin; });
        return static_cast<std::size_t>(behind - lines_.begin()) - 1;
    }

    Place place_at(std::size_t at) const {  // behind the first byte
        if (text_[at - 1] == '\n') {
            const std::size_t index = line_at(at);
            const Line& line = lines_[index];
            if (line.blank) return Place::character;
            if (line.heading > 0) return Place::heading;
            if (index > 0 && lines_[index - 1].blank) return Place::after_blank;
            return kind_ == FileKind::code && !is_space(text_[at]) ? Place::top_level : Place::line;
        }
        if (is_space(text_[at]) || !is_space(text_[at - 1])) return Place::character;
        std::size_t before = at;
        while (before > 0 && is_space(text_[before - 1])) --before;
        const char last = before > 0 ? text_[before - 1] : ' ';
        return last == '.' || last == '!' || last == '?' ? Place::sentence : Place::word;
    }

    // The last of the best places in the second half of the chunk that begins at `begin`.
    std::size_t best_cut(std::size_t begin) const {
        std::size_t best = begin + most_;
        while (best > begin + 1 && !starts_character(text_[best])) --best;
        Place quality = Place::character;
        for (std::size_t at = begin + most_; at > begin + most_ / 2 && quality != Place::heading; --at) {
            const Place here = starts_character(text_[at]) ? place_at(at) : Place::character;
            if (here <= quality) continue;
            quality = here;
            best = at;
        }
        return best;
    }

    // Where the chunk behind the cut at `end` begins: a little before it, at a line or at least a word.
    std::size_t next_begin(std::size_t begin, std::size_t end) const {
        if (overlap_ == 0 || place_at(end) == Place::heading) return end;
        const std::size_t least = std::max(begin + 1, end > overlap_ ? end - overlap_ : 0);
        std::size_t word = end;
        for (std::size_t at = least; at < end; ++at) {
            if (!starts_character(text_[at])) continue;
            const Place here = place_at(at);
            if (here >= Place::line) return at;
            if (here >= Place::word && word == end) word = at;
        }
        return word;
    }

    void add(std::vector<Chunk>& chunks, std::size_t begin, std::size_t end) {
        Chunk chunk;
        while (begin < end && is_space(text_[begin])) ++begin;
        while (begin < end && is_space(text_[end - 1])) --end;
        if (begin == end) return;
        chunk.begin = begin;
        chunk.end = end;
        if (kind_ == FileKind::documentation) chunk.headings = headings_at(begin);
        chunks.push_back(std::move(chunk));
    }

    // Chunks begin ever further behind, so each heading is looked at once.
    std::string headings_at(std::size_t place) {
        for (; next_line_ < lines_.size() && lines_[next_line_].begin <= place; ++next_line_) {
            const Line& line = lines_[next_line_];
            if (line.heading == 0) continue;
            path_.resize(line.heading - 1);
            std::string_view title = text_.substr(line.begin, text_.find('\n', line.begin) - line.begin);
            title.remove_prefix(std::min(title.find_first_not_of("# "), title.size()));
            while (!title.empty() && is_space(title.back())) title.remove_suffix(1);
            path_.emplace_back(title);
        }
        std::string joined;
        for (const std::string& title : path_)
            if (!title.empty() && joined.size() + title.size() <= headings_bytes_max)
                joined += (joined.empty() ? "" : " > ") + title;
        return joined;
    }

    const FileKind kind_;
    const std::string_view text_;
    const std::vector<Line> lines_;
    const std::size_t most_, overlap_;
    std::vector<std::string> path_;
    std::size_t next_line_ = 0;
};

}  // namespace

std::vector<Chunk> chunks_of(FileKind kind, std::string_view text, ChunkSizes sizes) {
    return Cutter(kind, text, sizes).cut();
}

}  // namespace stele::knowledge
