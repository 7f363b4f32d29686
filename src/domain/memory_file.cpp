#include "domain/memory_file.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>
#include <charconv>

namespace stele {
namespace {

constexpr std::string_view suffix = ".md", skills = "skills/", fence = "---\n";
constexpr std::size_t label_characters_max = 255, name_characters_max = 100;
constexpr std::string_view ours[] = {"description", "limit", "read_only"};

bool is_path(std::string_view path) {
    for (bool more = true; more;) {
        const std::size_t end = path.find('/');
        const std::string_view part = path.substr(0, end);
        std::string small(part);
        for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (part.empty() || part == "." || part == ".." || small == ".git") return false;
        more = end != std::string_view::npos;
        if (more) path.remove_prefix(end + 1);
    }
    return true;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// The head of a file, line by line, and the text behind it.
struct Parts {
    std::vector<std::string_view> head;
    std::string_view value;
};

Parts parts_of(std::string_view text) {
    Parts parts;
    parts.value = text;
    if (!text.starts_with(fence)) return parts;
    std::vector<std::string_view> lines;
    for (std::string_view rest = text.substr(fence.size()); !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line != "---") {
            lines.push_back(line);
            continue;
        }
        if (rest.starts_with('\n')) rest.remove_prefix(1);
        parts.head = std::move(lines);
        parts.value = rest;
        return parts;
    }
    return parts;  // never closed: no head
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

// The member that a line begins; empty for a line that goes on with one, or is none.
std::string_view key_of(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with(' ') || line.starts_with('\t') || line.starts_with('#'))
        return {};
    return trimmed(line.substr(0, colon));
}

// A scalar in double quotes (JSON's escapes), in single ones, or plain.
std::string scalar(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        if (const auto value = json_member_text("{\"a\":" + std::string(text) + "}", "a")) return *value;
    if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') {
        std::string value;
        for (std::size_t i = 1; i + 1 < text.size(); ++i) {
            value += text[i];
            if (text[i] == '\'' && text[i + 1] == '\'') ++i;
        }
        return value;
    }
    const std::size_t comment = text.find(" #");
    return std::string(trimmed(text.substr(0, comment)));
}

// The lines below "key: >" or "key: |", folded or as they are.
std::string block_scalar(const std::vector<std::string_view>& head, std::size_t next, bool folded) {
    std::string value;
    for (; next < head.size() && (head[next].starts_with(' ') || head[next].empty()); ++next)
        value += (value.empty() ? "" : folded ? " " : "\n") + std::string(trimmed(head[next]));
    return value;
}

std::string quoted(const std::string& text) {
    constexpr std::string_view begins = "!&*-?{}[]|>@`\"'%#,:= ";
    const bool plain = !text.empty() && begins.find(text.front()) == std::string_view::npos &&
                       text.find(": ") == std::string::npos && text.find(" #") == std::string::npos &&
                       !text.ends_with(':') && !text.ends_with(' ') &&
                       std::none_of(text.begin(), text.end(), is_control);
    return plain ? text : json_string(text);
}

std::string own_line(std::string_view key, const MemoryFile& file) {
    if (key == "description" && file.description) return "description: " + quoted(*file.description) + "\n";
    if (key == "limit" && file.limit) return "limit: " + std::to_string(*file.limit) + "\n";
    if (key == "read_only" && file.read_only) return "read_only: true\n";
    return {};
}

}  // namespace

std::optional<std::string> path_of_label(std::string_view label) {
    if (!is_path(label) || std::any_of(label.begin(), label.end(), is_control)) return std::nullopt;
    return std::string(label) + (label.starts_with(skills) ? "" : std::string(suffix));
}

std::optional<std::string> label_of_path(std::string_view path) {
    std::string_view label = path;
    if (!path.starts_with(skills)) {
        if (!path.ends_with(suffix)) return std::nullopt;
        label.remove_suffix(suffix.size());
    }
    if (!is_path(label) || std::any_of(label.begin(), label.end(), is_control) ||
        code_points(label) > label_characters_max)
        return std::nullopt;
    return std::string(label);
}

MemoryFile read_memory_file(std::string_view text) {
    const Parts parts = parts_of(text);
    MemoryFile file;
    for (std::size_t i = 0; i < parts.head.size(); ++i) {
        const std::string_view line = parts.head[i], key = key_of(line);
        if (key.empty()) continue;
        const std::string_view rest = trimmed(line.substr(line.find(':') + 1));
        if (key == "description")
            file.description = rest.starts_with('>') || rest.starts_with('|')
                                   ? block_scalar(parts.head, i + 1, rest.starts_with('>'))
                                   : scalar(rest);
        if (key == "read_only") file.read_only = scalar(rest) == "true";
        if (key == "limit") {
            const std::string digits = scalar(rest);
            std::int64_t limit = 0;
            std::from_chars(digits.data(), digits.data() + digits.size(), limit);
            if (limit > 0) file.limit = limit;
        }
    }
    std::string_view value = parts.value;
    if (value.ends_with('\n')) value.remove_suffix(1);
    file.value = value;
    return file;
}

MemoryFile memory_file_of(const Block& block) {
    MemoryFile file;
    file.value = block.value;
    file.description = block.description;
    file.read_only = block.read_only;
    if (block.limit != Block().limit) file.limit = block.limit;
    return file;
}

std::string memory_file_text(const MemoryFile& wanted, std::string_view before) {
    const Parts parts = parts_of(before);
    std::string head;
    std::vector<std::string_view> written;
    bool skipping = false;
    for (const std::string_view line : parts.head) {
        const std::string_view key = key_of(line);
        const bool goes_on = key.empty() && (line.starts_with(' ') || line.starts_with('\t') || line.empty());
        if (!goes_on) skipping = std::find(std::begin(ours), std::end(ours), key) != std::end(ours);
        if (!skipping) head += std::string(line) + "\n";
        if (!skipping || goes_on) continue;
        head += own_line(key, wanted);
        written.push_back(key);
    }
    for (const std::string_view key : ours)
        if (std::find(written.begin(), written.end(), key) == written.end()) head += own_line(key, wanted);
    const bool needs_head = !head.empty() || wanted.value.starts_with(fence) || wanted.value == "---";
    return (needs_head ? "---\n" + head + "---\n\n" : std::string()) + wanted.value + "\n";
}

bool apply(const MemoryFile& file, Block& block) {
    if (memory_file_of(block) == file) return false;
    block.value = file.value;
    block.description = file.description;
    block.read_only = file.read_only;
    block.limit = file.limit.value_or(Block().limit);
    return true;
}

void check(const MemoryRepositoryCreate& request, Problems& problems) {
    const bool plain = std::all_of(request.name.begin(), request.name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    });
    if (request.name.empty() || request.name.size() > name_characters_max || !plain || request.name.front() == '.' ||
        request.name.ends_with(".git") || request.name == "state")
        problems.add("name",
                     "must have 1 to 100 characters (letters, digits, '-', '_', '.'), not begin with '.' or end with "
                     "'.git', and not be 'state'",
                     "string_pattern_mismatch", json_string(first_code_points(request.name, 64)));
}

STELE_JSON_WRITTEN(MemoryDirectory)
STELE_JSON_WRITTEN(MemoryFileContent)
STELE_JSON_WRITTEN(MemoryHistory)
STELE_JSON_WRITTEN(MemoryRepository)
STELE_JSON_READ(MemoryRepositoryCreate)
STELE_JSON_WRITTEN(MemoryRepositories)
STELE_JSON_WRITTEN(MemoryCommits)
STELE_JSON_WRITTEN(MountedRepositories)
STELE_JSON_READ(MountRequest)

}  // namespace stele
