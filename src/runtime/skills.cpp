#include "runtime/skills.hpp"

#include "runtime/path_tree.hpp"

#include <map>
#include <set>

namespace stele::runtime {
namespace {

constexpr std::string_view folder = "skills/";
constexpr std::string_view file = "/SKILL.md";
constexpr std::string_view own_root = "$MEMORY_DIR/skills/";

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

// Where the folder of the skill is, with a slash behind it: "/home/ada/skills/" of "/home/ada/skills/review/SKILL.md".
// A skill that lies nowhere in particular is in "./".
std::string root_of(const std::string& location) {
    const std::size_t name = location.find_last_of('/');
    const std::size_t above =
        name == std::string::npos || name == 0 ? std::string::npos : location.find_last_of('/', name - 1);
    return above == std::string::npos ? "./" : location.substr(0, above + 1);
}

}  // namespace

std::string skills_section(const Agent& agent, const std::vector<Block>& blocks,
                           const Patch<std::vector<ClientSkill>>& brought) {
    std::map<std::string, std::vector<TreeFile>> by_root;
    std::set<std::string, std::less<>> names;
    for (const Block& block : blocks) {
        if (!agent.git_memory) break;
        const std::string_view label = block.label;
        if (!label.starts_with(folder) || !label.ends_with(file) || label.size() <= folder.size() + file.size())
            continue;
        const std::string_view path = label.substr(folder.size());
        names.insert(std::string(path.substr(0, path.size() - file.size())));
        by_root[std::string(own_root)].push_back(
            {std::string(path), first_line(shown_description(block).value_or(""))});
    }
    static const std::vector<ClientSkill> none;
    for (const ClientSkill& skill : brought.has_value() ? *brought : none) {
        if (!names.insert(skill.name).second) continue;
        const std::string location =
            skill.location.empty() ? std::string(own_root) + skill.name + std::string(file) : skill.location;
        const std::string root = root_of(location);
        const std::string path = location.starts_with(root) ? location.substr(root.size()) : location;
        by_root[root].push_back({path, first_line(skill.description)});
    }
    if (by_root.empty()) return {};
    std::string out;
    for (const auto& [root, files] : by_root) out += (out.empty() ? "" : "\n") + root + '\n' + tree_drawing(files);
    return "\n\n<available_skills>\n" + out + "</available_skills>";
}

}  // namespace stele::runtime
