#include "knowledge/file_grep.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace stele::knowledge {
namespace {

constexpr std::size_t pattern_characters_max = 1'000;
constexpr std::size_t bytes_between_looks = 64u << 10;  // at the clock
// Each byte costs up to so many steps as the pattern's program has. What may take more at once than a few seconds is
// searched in windows, and a match is missed that is longer than what two of them share.
constexpr std::size_t steps_at_once_max = 400'000'000;

re2::RE2::Options options() {
    re2::RE2::Options chosen;
    chosen.set_case_sensitive(false);
    chosen.set_log_errors(false);
    return chosen;
}

std::string expression_of_glob(std::string_view glob) {
    std::string made;
    for (const char c : glob) {
        if (c == '*')
            made += ".*";
        else if (c == '?')
            made += '.';
        else
            made += re2::RE2::QuoteMeta(std::string(1, c));
    }
    return made;
}

// A glob's wide characters are quoted byte by byte, which means the same in Latin-1.
std::unique_ptr<re2::RE2> glob_of(const std::string& glob) {
    re2::RE2::Options chosen = options();
    chosen.set_encoding(re2::RE2::Options::EncodingLatin1);
    return std::make_unique<re2::RE2>("(?s)(?:.*/)?" + expression_of_glob(glob), chosen);
}

}  // namespace

GrepPattern::GrepPattern(const std::string& pattern) {
    if (pattern.empty()) throw Error(ErrorCode::invalid_argument, "the pattern is empty");
    if (code_points(pattern) > pattern_characters_max)
        throw Error(ErrorCode::invalid_argument, "the pattern is longer than 1000 characters");
    pattern_ = std::make_unique<re2::RE2>(pattern, options());
    if (!pattern_->ok())
        throw Error(ErrorCode::invalid_argument, "the pattern is no regular expression that can be used here (" +
                                                     pattern_->error() +
                                                     "); look-around and references back are not supported");
}

GrepPattern::~GrepPattern() = default;
GrepPattern::GrepPattern(GrepPattern&&) noexcept = default;

bool GrepPattern::matches(std::string_view text, std::size_t begin, std::size_t end) const {
    return pattern_->Match(re2::StringPiece(text.data(), text.size()), begin, end, re2::RE2::UNANCHORED, nullptr, 0);
}

std::size_t GrepPattern::steps_a_byte() const { return static_cast<std::size_t>(pattern_->ProgramSize()); }

NameFilter::NameFilter(const std::string& include) {
    if (include.empty()) return;
    if (include.size() > pattern_characters_max)
        throw Error(ErrorCode::invalid_argument, "include is longer than 1000 characters");
    glob_ = glob_of(include);
    expression_ = std::make_unique<re2::RE2>(include, options());
    if (!glob_->ok() && !expression_->ok())
        throw Error(ErrorCode::invalid_argument, "include is neither a glob such as *.md nor a regular expression");
}

NameFilter::~NameFilter() = default;
NameFilter::NameFilter(NameFilter&&) noexcept = default;

bool NameFilter::takes(std::string_view name) const {
    if (!glob_) return true;
    const re2::StringPiece piece(name.data(), name.size());
    if (glob_->ok() && re2::RE2::FullMatch(piece, *glob_)) return true;
    return expression_->ok() && re2::RE2::PartialMatch(piece, *expression_);
}

namespace {

// The clock is looked at by bytes: units may be of any length, and so may what one of them takes.
class Search {
public:
    Search(const GrepPattern& pattern, std::chrono::steady_clock::time_point deadline)
        : pattern_(pattern),
          deadline_(deadline),
          window_(std::max(bytes_between_looks, steps_at_once_max / std::max<std::size_t>(pattern.steps_a_byte(), 1))) {
    }

    bool timed_out() const { return timed_out_; }

    bool finds(std::string_view text) {
        for (std::size_t begin = 0;; begin += window_ - window_ / 4) {
            const std::size_t end = std::min(begin + window_, text.size());
            look_at_clock(end - begin + 1);
            if (timed_out_) return false;
            if (pattern_.matches(text, begin, end)) return true;
            if (end == text.size()) return false;
        }
    }

private:
    void look_at_clock(std::size_t bytes) {
        bytes_ += bytes;
        if (bytes_ < bytes_between_looks) return;
        bytes_ = 0;
        timed_out_ = std::chrono::steady_clock::now() >= deadline_;
    }

    const GrepPattern& pattern_;
    const std::chrono::steady_clock::time_point deadline_;
    const std::size_t window_;
    std::size_t bytes_ = bytes_between_looks;  // since the last look
    bool timed_out_ = false;
};

}  // namespace

GrepMatches grep(const GrepPattern& pattern, FileKind kind, std::string_view text, const std::vector<Unit>& units,
                 std::size_t most, std::chrono::steady_clock::time_point deadline) {
    GrepMatches found;
    Search search(pattern, deadline);
    for (std::size_t i = 0; i < units.size() && found.units.size() < most && !search.timed_out(); ++i) {
        const std::string_view raw = text.substr(units[i].begin, units[i].end - units[i].begin);
        const bool matches =
            kind == FileKind::documentation ? search.finds(unit_text(kind, text, units[i])) : search.finds(raw);
        if (matches) found.units.push_back(i + 1);
    }
    found.timed_out = search.timed_out();
    return found;
}

}  // namespace stele::knowledge
