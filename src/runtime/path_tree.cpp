#include "runtime/path_tree.hpp"

#include <map>

namespace stele::runtime {
namespace {

struct Folder {
    std::map<std::string, Folder> folders;
    std::map<std::string, std::string> files;  ///< notes by name
};

void put(Folder& folder, std::string_view path, const std::string& note) {
    const std::size_t slash = path.find('/');
    if (slash == 0) return put(folder, path.substr(1), note);
    if (slash != std::string_view::npos)
        return put(folder.folders[std::string(path.substr(0, slash))], path.substr(slash + 1), note);
    if (!path.empty()) folder.files[std::string(path)] = note;
}

void draw(const Folder& folder, const std::string& before, std::string& out) {
    std::size_t left = folder.folders.size() + folder.files.size();
    for (const auto& [name, inner] : folder.folders) {
        const bool last = --left == 0;
        out += before + (last ? "└── " : "├── ") + name + "/\n";
        draw(inner, before + (last ? "    " : "│   "), out);
    }
    for (const auto& [name, note] : folder.files) {
        const bool last = --left == 0;
        out += before + (last ? "└── " : "├── ") + name + (note.empty() ? "" : " (" + note + ")") + '\n';
    }
}

}  // namespace

std::string tree_drawing(const std::vector<TreeFile>& files) {
    Folder root;
    for (const TreeFile& file : files) put(root, file.path, file.note);
    std::string out;
    draw(root, {}, out);
    return out;
}

}  // namespace stele::runtime
