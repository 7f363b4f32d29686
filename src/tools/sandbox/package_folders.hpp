#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

// The folders of installed packages on the disk. All of it blocks, and walks through thousands of files: for worker
// threads. A folder is named by its key; "<key>.building" and "<key>.removing" are on their way in and out.
namespace stele::tools {

struct PackageFolder {
    std::string key;
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type last_used;
};

/// Makes an empty "<folder>.building", whatever an end of the server had left there, and gives its path.
std::filesystem::path begin_packages(const std::filesystem::path& folder);

/// Lets everybody read what is in `building`, and gives it its name. From then on it is complete.
void publish_packages(const std::filesystem::path& building, const std::filesystem::path& folder);

/// Of all files below it, also while somebody writes there.
std::uintmax_t bytes_in(const std::filesystem::path& folder);

/// True if it is there; then it counts as used now.
bool touch_packages(const std::filesystem::path& folder);

/// Removes it; half of it is never seen under its name.
void remove_packages(const std::filesystem::path& folder);

/// All that are complete. Ends removals that were cut off.
std::vector<PackageFolder> package_folders(const std::filesystem::path& environments);

/// The keys of those that have to go, the longest unused first, so that `bytes_max` are kept; none that is in use, even
/// if more than that stays. Pure.
std::vector<std::string> superfluous_packages(std::vector<PackageFolder> folders, std::uintmax_t bytes_max,
                                              const std::function<bool(const std::string& key)>& in_use);

}  // namespace stele::tools
