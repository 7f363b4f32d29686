#pragma once

#include <string>
#include <vector>

namespace stele::runtime {

/// A file in a drawing of folders.
struct TreeFile {
    std::string path;  ///< "reference/api.md"; empty parts count for nothing
    std::string note;  ///< stands behind the name, if there is one
};

/// Files as a drawing, folders first and both by name, each line ended; no files, no lines:
///
///     ├── reference/
///     │   └── api.md
///     └── notes.md (what I noticed)
std::string tree_drawing(const std::vector<TreeFile>& files);

}  // namespace stele::runtime
