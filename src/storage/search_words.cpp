#include "storage/search_words.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
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

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Collects the words of a query.
class QueryWords {
public:
    void add_to_word(std::string_view bytes) {
        end_run();
        word_ += bytes;
    }
    void add_dense(std::string_view bytes) {
        end_word();
        run_.push_back(bytes);
    }
    void end() {
        end_word();
        end_run();
    }
    std::string take() { return std::move(query_); }

private:
    void add(const std::string& phrase) {
        if (!query_.empty()) query_ += " OR ";
        query_ += '"' + phrase + '"';
    }
    void end_word() {
        if (!word_.empty()) add(word_);
        word_.clear();
    }
    void end_run() {
        if (run_.size() == 1) add(std::string(run_.front()));
        for (std::size_t i = 1; i < run_.size(); ++i) add(std::string(run_[i - 1]) + ' ' + std::string(run_[i]));
        run_.clear();
    }

    std::string query_, word_;
    std::vector<std::string_view> run_;
};

}  // namespace

std::string search_text(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    std::string spaced;
    spaced.reserve(text.size() * 2);
    while (!text.empty()) {
        char32_t code = 0;
        const std::string_view bytes = take(text, code);
        if (is_dense(code)) {
            spaced += ' ';
            spaced += bytes;
            spaced += ' ';
        } else {
            spaced += bytes;
        }
    }
    return spaced;
}

std::string search_query(std::string_view text) {
    QueryWords words;
    while (!text.empty()) {
        char32_t code = 0;
        const std::string_view bytes = take(text, code);
        if (is_dense(code))
            words.add_dense(bytes);
        else if (code >= 0x80 || std::isalnum(static_cast<int>(code)) != 0)
            words.add_to_word(bytes);
        else
            words.end();
    }
    words.end();
    return words.take();
}

}  // namespace stele::storage
