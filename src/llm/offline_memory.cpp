#include "llm/offline_memory.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace stele::llm {

std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(trimmed(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    std::erase(lines, std::string());
    return lines;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : lowered(text) + " ") {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || std::isalnum(byte) != 0 || c == '_')
            word += c;
        else if (!word.empty())
            words.push_back(std::exchange(word, {}));
    }
    return words;
}

std::set<std::string> content_words(std::string_view text) {
    static const std::set<std::string> little = {
        "a",     "an",   "and",   "are",   "about", "at",   "can",   "could", "did",    "do",       "does", "for",
        "from",  "have", "has",   "how",   "i",     "im",   "in",    "is",    "it",     "know",     "me",   "my",
        "of",    "on",   "or",    "said",  "say",   "tell", "that",  "the",   "to",     "told",     "user", "was",
        "what",  "when", "where", "which", "who",   "why",  "you",   "your",  "please", "remember", "m",    "s",
        "there", "with", "be",    "am",    "were",  "will", "would", "this",  "these",  "those",    "they", "s"};
    std::set<std::string> words;
    for (std::string& word : words_of(text)) {
        if (little.contains(word)) continue;
        if (word.size() > 3 && word.back() == 's') word.pop_back();  // "likes" and "like"
        const std::size_t our = word.find("our");                    // "colour" and "color", "favourite" and "favorite"
        if (our != std::string::npos && our >= 3) word.erase(our + 1, 1);
        if (word == "called" || word == "call") word = "name";
        words.insert(std::move(word));
    }
    return words;
}

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view each) { return text.starts_with(each); });
}

std::vector<MemoryBlock> memory_of(const ModelRequest& request) {
    std::vector<MemoryBlock> blocks;
    if (request.turns.empty() || request.turns.front().role != Role::system) return blocks;
    const std::string& text = request.turns.front().text;
    const std::size_t end = text.rfind("</memory_blocks>");
    for (std::size_t at = text.find("<memory_blocks>"); at < end;) {
        const std::size_t description = text.find(">\n<description>", at);
        if (description == std::string::npos || description > end) break;
        MemoryBlock block;
        const std::size_t open = text.rfind('<', description);
        block.label = text.substr(open + 1, description - open - 1);
        const std::size_t value = text.find("<value>\n", description),
                          close = text.find("</value>\n</" + block.label + ">", description);
        if (value == std::string::npos || close == std::string::npos) break;
        block.read_only = text.substr(description, value - description).find("- read_only=true") != std::string::npos;
        block.value = text.substr(value + 8, close - value - 8);
        blocks.push_back(std::move(block));
        at = close + 1;
    }
    return blocks;
}

std::string writable_label(const std::vector<MemoryBlock>& blocks) {
    std::string label;
    for (const MemoryBlock& block : blocks)
        if (!block.read_only && (label.empty() || block.label == "human")) label = block.label;
    return label;
}

std::string recall(const std::vector<MemoryBlock>& blocks, std::string_view question, MemoryBlock* block) {
    const std::set<std::string> asked = content_words(question);
    std::string best;
    std::size_t best_score = 1;
    for (const MemoryBlock& each : blocks) {
        for (const std::string& line : lines_of(each.value)) {
            const std::set<std::string> words = content_words(line);
            std::size_t score = 0;
            for (const std::string& word : asked) score += words.count(word);
            if (score < best_score) continue;
            best = line;
            best_score = score;
            if (block != nullptr) *block = each;
        }
    }
    return best;
}

std::string name_in(const std::vector<MemoryBlock>& blocks) {
    std::string name;
    for (const MemoryBlock& block : blocks) {
        if (block.label == "persona") continue;
        for (const std::string& line : lines_of(block.value)) {
            const std::string low = " " + lowered(line);
            for (const std::string_view mark :
                 {" my name is ", " name is ", " name: ", " call me ", " i am ", " i'm "}) {
                const std::size_t at = low.find(mark);
                if (at == std::string::npos) continue;
                std::string_view rest = std::string_view(line).substr(at + mark.size() - 1);
                for (const std::string_view filler : {"actually ", "now ", "really "})
                    if (lowered(rest).starts_with(filler)) rest.remove_prefix(filler.size());
                const auto letter = static_cast<unsigned char>(rest.empty() ? ' ' : rest.front());
                if (std::isupper(letter) == 0 && letter < 0x80) continue;  // "I am a baker" names nobody
                name = rest.substr(0, rest.find_first_of(" .,;!?"));
                break;
            }
        }
    }
    return name;
}

}  // namespace stele::llm
