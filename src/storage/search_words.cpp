#include "storage/search_words.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>
#include <vector>

namespace stele::storage {
namespace {

struct Range {
    char32_t first, last;
};
// Blocks of the Unicode standard, 15.0: scripts without spaces between words, and Hangul, which glues particles on.
constexpr Range dense_scripts[] = {{0x0E00, 0x0EFF}, {0x1000, 0x109F}, {0x1780, 0x17FF},
                                   {0x3040, 0x30FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF},
                                   {0xAC00, 0xD7AF}, {0xF900, 0xFAFF}, {0x20000, 0x323AF}};

bool is_dense(char32_t code) {
    return std::any_of(std::begin(dense_scripts), std::end(dense_scripts),
                       [code](const Range& range) { return code >= range.first && code <= range.last; });
}

// Takes one character from the front, as its bytes.
std::string_view take(std::string_view& text, char32_t& code) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = std::min<std::size_t>(first < 0x80   ? 1
                                                     : first < 0xE0 ? 2
                                                     : first < 0xF0 ? 3
                                                                    : 4,
                                                     text.size());
    code = length == 1 ? first : first & (0x3Fu >> (length - 1));
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3Fu);
    const std::string_view bytes = text.substr(0, length);
    text.remove_prefix(length);
    return bytes;
}

/// Takes each word once, whatever its case, and no more of them than are worth their time: an index weighs each word of
/// a query against each place of every other. The same word a thousand times was work for hours.
class Distinct {
public:
    explicit Distinct(std::vector<std::string>& into) : into_(into) {}

    bool full() const { return into_.size() >= search_terms_max; }

    void add(std::string word) {
        std::string key = word;
        std::transform(key.begin(), key.end(), key.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
        if (!full() && known_.insert(std::move(key)).second) into_.push_back(std::move(word));
    }

private:
    std::vector<std::string>& into_;
    std::set<std::string> known_;
};

}  // namespace

SearchTerms search_terms(std::string_view text) {
    SearchTerms found;
    Distinct terms(found.terms);
    std::string word;
    std::vector<std::string_view> run;
    const auto end_word = [&] {
        if (!word.empty()) terms.add(std::move(word));
        word.clear();
    };
    const auto end_run = [&] {
        found.dense = found.dense || !run.empty();
        if (run.size() == 1) terms.add(std::string(run.front()));
        for (std::size_t i = 1; i < run.size(); ++i) terms.add(std::string(run[i - 1]) + std::string(run[i]));
        run.clear();
    };
    while (!text.empty() && !terms.full()) {
        char32_t code = 0;
        const std::string_view bytes = take(text, code);
        if (is_dense(code)) {
            end_word();
            run.push_back(bytes);
            continue;
        }
        end_run();
        if (code >= 0x80 || std::isalnum(static_cast<int>(code)) != 0)
            word += bytes;
        else
            end_word();
    }
    end_word();
    end_run();
    return found;
}

std::vector<std::string> dense_trigrams(std::string_view text) {
    std::vector<std::string> found;
    Distinct trigrams(found);
    std::vector<std::string_view> run;
    while (!text.empty() && !trigrams.full()) {
        char32_t code = 0;
        const std::string_view bytes = take(text, code);
        if (!is_dense(code)) {
            run.clear();
            continue;
        }
        run.push_back(bytes);
        if (run.size() < 3) continue;
        const auto last = run.end();
        trigrams.add(std::string(last[-3]) + std::string(last[-2]) + std::string(last[-1]));
    }
    return found;
}

std::string fts_query(const std::vector<std::string>& terms) {
    std::string query;
    for (const std::string& term : terms) query += (query.empty() ? "\"" : " OR \"") + term + '"';
    return query;
}

}  // namespace stele::storage
