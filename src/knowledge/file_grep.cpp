#include "knowledge/file_grep.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <re2/re2.h>

namespace stele::knowledge {
namespace {

constexpr std::size_t pattern_characters_max = 1'000;
constexpr std::size_t units_between_looks = 4'096;  // at the clock

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

bool GrepPattern::matches(std::string_view text) const {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern_);
}

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

GrepMatches grep(const GrepPattern& pattern, FileKind kind, std::string_view text, const std::vector<Unit>& units,
                 std::size_t most, std::chrono::steady_clock::time_point deadline) {
    GrepMatches found;
    for (std::size_t i = 0; i < units.size() && found.units.size() < most; ++i) {
        if (i % units_between_looks == 0 && std::chrono::steady_clock::now() >= deadline) {
            found.timed_out = true;
            break;
        }
        const std::string_view raw = text.substr(units[i].begin, units[i].end - units[i].begin);
        const bool matches =
            kind == FileKind::documentation ? pattern.matches(unit_text(kind, text, units[i])) : pattern.matches(raw);
        if (matches) found.units.push_back(i + 1);
    }
    return found;
}

}  // namespace stele::knowledge
