#include "runtime/git_memory_prompt.hpp"

#include "domain/memory_file.hpp"
#include "runtime/path_tree.hpp"

#include <algorithm>
#include <map>

namespace stele::runtime {
namespace {

constexpr std::string_view shown_folder = "system/";
constexpr std::string_view skills_folder = "skills/";
constexpr std::string_view persona_label = "system/persona";
constexpr std::string_view reminder =
    "Your memory is a folder of files, $MEMORY_DIR. Those below system/ are always in your view, as they are here:\n\n";

/// Blocks by the parts of their labels behind system/. A block may be where others have their folder.
struct Node {
    const Block* block = nullptr;
    std::map<std::string, Node> inner;
};

void put(Node& node, std::string_view label, const Block& block) {
    const std::size_t slash = label.find('/');
    Node& next = node.inner[std::string(label.substr(0, slash))];
    if (slash == std::string_view::npos)
        next.block = &block;
    else
        put(next, label.substr(slash + 1), block);
}

void append_block(std::string& out, const Block& block) {
    if (const auto path = path_of_label(block.label)) out += "<projection>$MEMORY_DIR/" + *path + "</projection>\n";
    const auto description = shown_description(block);
    if (description && !description->empty()) out += "<description>" + *description + "</description>\n";
    out += block.value + '\n';
}

void append_nodes(std::string& out, const Node& node) {
    for (const auto& [part, inner] : node.inner) {
        const std::string tag = tag_of(part);
        out += '<' + tag + ">\n";
        if (inner.block != nullptr) append_block(out, *inner.block);
        append_nodes(out, inner);
        out += "</" + tag + ">\n";
    }
}

}  // namespace

std::string tag_of(const std::string& label) {
    constexpr std::string_view signs = "_-./";
    std::string tag = label;
    for (char& c : tag) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && std::isalnum(byte) == 0 && signs.find(c) == std::string_view::npos) c = '_';
    }
    return tag;
}

bool shows_as_files(const std::vector<Block>& blocks) {
    return std::any_of(blocks.begin(), blocks.end(),
                       [](const Block& block) { return block.label.starts_with(shown_folder); });
}

std::string git_memory_section(const std::vector<Block>& blocks) {
    const Block* persona = nullptr;
    Node shown;
    std::vector<TreeFile> others;
    for (const Block& block : blocks) {
        if (block.label == persona_label)
            persona = &block;
        else if (block.label.starts_with(shown_folder))
            put(shown, std::string_view(block.label).substr(shown_folder.size()), block);
        else if (!block.label.starts_with(skills_folder))
            others.push_back({path_of_label(block.label).value_or(block.label), {}});
    }
    std::string out(reminder);
    if (persona != nullptr) {
        out += "<self>\n";
        append_block(out, *persona);
        out += "</self>\n\n";
    }
    out += "<memory>\n";
    append_nodes(out, shown);
    out += "</memory>";
    if (others.empty()) return out;
    return out + "\n\n<external_projection>\n$MEMORY_DIR/\n" + tree_drawing(others) + "</external_projection>";
}

// Values may hold any of these tags: what counts is the first beginning and the last end in front of the metadata.
std::string_view git_memory_of(std::string_view system) {
    const std::size_t begin = system.find(reminder);
    if (begin == std::string_view::npos) return {};
    const std::size_t metadata = system.rfind("\n\n<memory_metadata>");
    const std::string_view part =
        system.substr(begin, metadata == std::string_view::npos ? metadata : metadata - begin);
    for (const std::string_view close : {"</external_projection>", "</memory>"}) {
        const std::size_t end = part.rfind(close);
        if (end != std::string_view::npos) return part.substr(0, end + close.size());
    }
    return {};
}

}  // namespace stele::runtime
