#include "runtime/transcript.hpp"

#include "base/utf8.hpp"
#include "domain/compaction.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace stele::runtime {
namespace {

constexpr std::size_t line_characters_max = 240;    // of a message in notes
constexpr std::size_t earlier_characters_part = 2;  // an earlier summary takes at most this part of the notes
constexpr std::size_t opening_lines = 4;

std::string clipped(std::string_view text, std::size_t characters) {
    const std::string_view kept = first_code_points(text, characters);
    if (kept.size() == text.size()) return std::string(text);
    return std::string(kept) + "... [" + std::to_string(code_points(text) - characters) + " more characters]";
}

std::string line(const std::string& who, std::string_view text) { return "[" + who + "] " + std::string(text); }

std::string said(const Message& message) {
    const std::string text = text_of(message);
    return message.role == MessageRole::summary ? summary_of_package(text) : text;
}

std::string speaker(const Message& message) {
    if (message.role == MessageRole::summary) return "earlier notes";
    if (message.role == MessageRole::user && message.name) return "user " + *message.name;
    return std::string(to_string(message.role == MessageRole::approval ? MessageRole::assistant : message.role));
}

// The paragraphs of one message; a system message has none: it stays in the context.
void append_lines(const Message& message, std::size_t return_characters, std::vector<std::string>& lines) {
    if (message.role != MessageRole::tool)
        if (const std::string text = said(message); !text.empty()) lines.push_back(line(speaker(message), text));
    for (const MessageToolCall& call : message.tool_calls)
        lines.push_back(line("assistant calls " + call.name, call.arguments));
    for (const MessageToolReturn& tool_return : message.tool_returns)
        lines.push_back(
            line(tool_return.name + (tool_return.status == "error" ? " failed" : " returned"),
                 return_characters == 0 ? tool_return.value : clipped(tool_return.value, return_characters)));
}

std::string_view last_bytes(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    std::size_t begin = text.size() - bytes;
    while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;
    return text.substr(begin);
}

// Spaces and line breaks in a row become one space: notes are read, not parsed.
std::string one_line(std::string_view text) {
    std::string out;
    bool gap = false;
    for (const char c : text) {
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            gap = !out.empty();
            continue;
        }
        if (std::exchange(gap, false)) out += ' ';
        out += c;
    }
    return out;
}

}  // namespace

std::string transcript(std::span<const Message> messages, const TranscriptOptions& options) {
    std::vector<std::string> lines;
    for (const Message& message : messages) append_lines(message, options.return_characters_max, lines);
    std::string text;
    for (const std::string& each : lines) text += (text.empty() ? "" : "\n\n") + each;
    if (text.size() <= options.bytes_max) return text;
    const std::size_t half = options.bytes_max / 2;
    return std::string(first_bytes(text, half)) + "\n\n[the middle of the conversation is left out here]\n\n" +
           std::string(last_bytes(text, half));
}

std::string extractive_summary(std::span<const Message> messages, std::size_t characters_max) {
    std::string earlier;
    std::vector<std::string> lines;
    for (const Message& message : messages) {
        if (message.role == MessageRole::system) continue;
        if (message.role == MessageRole::summary) {
            earlier = said(message);
            lines.clear();  // it tells of everything before it
            continue;
        }
        std::vector<std::string> own;
        append_lines(message, line_characters_max, own);
        for (const std::string& each : own) lines.push_back(clipped(one_line(each), line_characters_max));
    }
    std::string head;
    if (!earlier.empty()) head = clipped(earlier, characters_max / earlier_characters_part) + "\n";
    std::size_t left = characters_max - std::min(characters_max, code_points(head));

    // The opening tells what the conversation is about, the end where it stands: both go in first, the middle after.
    std::vector<bool> kept(lines.size(), false);
    const auto keep = [&](std::size_t i) {
        const std::size_t size = code_points(lines[i]) + 1;
        if (kept[i] || size > left) return;
        kept[i] = true;
        left -= size;
    };
    for (std::size_t i = 0; i < std::min(opening_lines, lines.size()); ++i) keep(i);
    for (std::size_t i = lines.size(); i-- > 0;) keep(i);

    std::string notes = head;
    bool gap = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!kept[i]) {
            gap = true;
            continue;
        }
        if (std::exchange(gap, false)) notes += "...\n";
        notes += lines[i] + "\n";
    }
    if (!notes.empty()) notes.pop_back();
    return notes;
}

}  // namespace stele::runtime
