#include "runtime/directories.hpp"

#include "base/utf8.hpp"
#include "domain/file_block.hpp"
#include "knowledge/file_view.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

bool is_lean(AgentType type) { return type == AgentType::react_agent || type == AgentType::workflow_agent; }

// Within the quotes of an attribute.
std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"')
            out += "&quot;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out + '"';
}

std::string seen_of(const AttachedFile& file, const FileLimits& limits) {
    if (!file.is_open) return {};
    return knowledge::cut_view(file.visible_content.value_or(""), limits.characters);
}

void append_file(std::string& out, const AttachedFile& file, const FileLimits& limits) {
    const std::string seen = seen_of(file, limits);
    out += "<file status=\"" + std::string(file.is_open ? "open" : "closed") + "\" name=" + quoted(file.file_name) +
           ">\n<metadata>\n- read_only=true\n- chars_current=" + std::to_string(code_points(seen)) +
           "\n- chars_limit=" + std::to_string(limits.characters) + "\n</metadata>\n";
    if (file.is_open) out += "<value>\n" + seen + "\n</value>\n";
    out += "</file>\n";
}

// A tag of the file's own: a folder may be called what no tag may.
std::string tag_of(std::string name) {
    for (char& c : name)
        if (c == '<' || c == '>' || c == '"') c = '_';
    return name;
}

void append_lean_file(std::string& out, const AttachedFile& file, const FileLimits& limits) {
    const std::string tag = tag_of(file.file_name);
    out += "<file status=\"" + std::string(file.is_open ? "open" : "closed") + "\">\n<" + tag +
           ">\n<description>\n\n</description>\n<value>\n" + seen_of(file, limits) + "\n</value>\n</" + tag +
           ">\n</file>\n";
}

}  // namespace

FileLimits file_limits(const Agent& agent) {
    AgentPlace place = agent;
    fill_file_limits(place, agent.llm_config.context_window);
    return {*place.max_files_open, *place.per_file_view_window_char_limit};
}

std::string directories_section(const Agent& agent, const AgentDirectories& directories) {
    if (directories.folders.empty()) return {};
    const FileLimits limits = file_limits(agent);
    const auto open = std::count_if(directories.files.begin(), directories.files.end(),
                                    [](const AttachedFile& file) { return file.is_open; });
    std::string out = "\n\n<directories>\n<file_limits>\n- current_files_open=" + std::to_string(open) +
                      "\n- max_files_open=" + std::to_string(limits.open) + "\n</file_limits>\n";
    for (const Folder& folder : directories.folders) {
        out += "<directory name=" + quoted(folder.name) + ">\n";
        if (folder.description) out += "<description>" + *folder.description + "</description>\n";
        if (folder.instructions) out += "<instructions>" + *folder.instructions + "</instructions>\n";
        for (const AttachedFile& file : directories.files) {
            if (file.folder_id != folder.id) continue;
            if (is_lean(agent.agent_type))
                append_lean_file(out, file, limits);
            else
                append_file(out, file, limits);
        }
        out += "</directory>\n";
    }
    return out + "</directories>";
}

std::vector<Json> file_blocks(const Agent& agent, const AgentDirectories& directories) {
    const FileLimits limits = file_limits(agent);
    std::vector<Json> blocks;
    for (const AttachedFile& file : directories.files) {
        AttachedFileBlock block;
        block.label = file.file_name;
        block.value = seen_of(file, limits);
        block.limit = limits.characters;
        block.read_only = true;
        block.id = "block-" + file.id.substr(file.id.find('-') + 1);
        block.file_id = file.file_id;
        block.source_id = file.folder_id;
        block.is_open = file.is_open;
        block.last_accessed_at = file.last_accessed_at;
        blocks.push_back(Json{to_json(block)});
    }
    return blocks;
}

std::vector<std::size_t> files_to_close(const std::vector<AttachedFile>& files, const std::vector<std::string>& kept,
                                        std::int64_t most) {
    std::vector<std::size_t> open;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!files[i].is_open) continue;
        ++count;
        if (std::find(kept.begin(), kept.end(), files[i].file_id) == kept.end()) open.push_back(i);
    }
    std::stable_sort(open.begin(), open.end(), [&](std::size_t a, std::size_t b) {
        return files[a].last_accessed_at.value_or(Timestamp{}) < files[b].last_accessed_at.value_or(Timestamp{});
    });
    const auto excess = static_cast<std::size_t>(std::max<std::int64_t>(0, count - most));
    if (open.size() > excess) open.resize(excess);
    return open;
}

}  // namespace stele::runtime
