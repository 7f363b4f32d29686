#pragma once

#include "api/route.hpp"
#include "domain/folder.hpp"

namespace stele::api {

/// The folder of the path, under its newer or its older name.
inline const std::string& folder_id_of(const Request& request) {
    for (const auto& [name, value] : request.path_values)
        if (name == "source_id") return request.path_id("source_id", "source");
    return request.path_id("folder_id", "source");
}

/// Folders, as answers show them under the newer name, or under the older one.
enum class FolderWord : std::uint8_t { folder, source };

inline Response folder_answer(Folder folder, FolderWord word) {
    return word == FolderWord::folder ? answer(folder) : answer(Source(std::move(folder)));
}

inline Response folder_answer(std::vector<Folder> folders, FolderWord word) {
    if (word == FolderWord::folder) return answer(folders);
    std::vector<Source> sources;
    for (Folder& folder : folders) sources.emplace_back(std::move(folder));
    return answer(sources);
}

}  // namespace stele::api
