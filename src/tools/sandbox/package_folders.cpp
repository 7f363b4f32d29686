#include "tools/sandbox/package_folders.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;

constexpr char building_suffix[] = ".building", removing_suffix[] = ".removing";

// The fork-server is somebody else than the server, whatever the server's umask was.
void let_everybody_read(const fs::path& folder) {
    const auto open = [](const fs::path& path, fs::perms perms) {
        std::error_code ignored;
        fs::permissions(path, perms, fs::perm_options::add, ignored);
    };
    using fs::perms;
    const perms read = perms::group_read | perms::others_read;
    open(folder, read | perms::group_exec | perms::others_exec);
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (!entry.is_symlink())
            open(entry.path(), entry.is_directory() ? read | perms::group_exec | perms::others_exec : read);
}

}  // namespace

std::uintmax_t bytes_in(const fs::path& folder) {
    std::uintmax_t bytes = 0;
    std::error_code failure;
    for (fs::recursive_directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure)) {
        std::error_code gone;
        if (!at->is_symlink(gone) && at->is_regular_file(gone)) bytes += at->file_size(gone);
    }
    return bytes;
}

fs::path begin_packages(const fs::path& folder) {
    const fs::path building = folder.string() + building_suffix;
    fs::remove_all(building);
    fs::create_directories(building);
    return building;
}

void publish_packages(const fs::path& building, const fs::path& folder) {
    let_everybody_read(building);
    fs::rename(building, folder);
}

bool touch_packages(const fs::path& folder) {
    std::error_code failure;
    if (!fs::is_directory(folder, failure)) return false;
    fs::last_write_time(folder, fs::file_time_type::clock::now(), failure);
    return true;
}

void remove_packages(const fs::path& folder) {
    std::error_code ignored;
    const fs::path removing = folder.string() + removing_suffix;
    fs::remove_all(removing, ignored);
    fs::rename(folder, removing, ignored);
    fs::remove_all(removing, ignored);
}

std::vector<PackageFolder> package_folders(const fs::path& environments) {
    std::vector<PackageFolder> found;
    std::error_code failure;
    std::vector<fs::path> left_over;
    for (fs::directory_iterator at(environments, failure), end; !failure && at != end; at.increment(failure)) {
        const fs::path& path = at->path();
        std::error_code gone;
        if (path.extension() == removing_suffix) left_over.push_back(path);
        if (path.has_extension() || !at->is_directory(gone)) continue;
        PackageFolder folder;
        folder.key = path.filename();
        folder.bytes = bytes_in(path);
        folder.last_used = fs::last_write_time(path, gone);
        found.push_back(std::move(folder));
    }
    for (const fs::path& path : left_over) fs::remove_all(path, failure);
    return found;
}

std::vector<std::string> superfluous_packages(std::vector<PackageFolder> folders, std::uintmax_t bytes_max,
                                              const std::function<bool(const std::string&)>& in_use) {
    std::sort(folders.begin(), folders.end(),
              [](const PackageFolder& a, const PackageFolder& b) { return a.last_used < b.last_used; });
    std::uintmax_t bytes = 0;
    for (const PackageFolder& each : folders) bytes += each.bytes;
    std::vector<std::string> keys;
    for (const PackageFolder& each : folders) {
        if (bytes <= bytes_max) break;
        if (in_use(each.key)) continue;
        bytes -= each.bytes;
        keys.push_back(each.key);
    }
    return keys;
}

}  // namespace stele::tools
