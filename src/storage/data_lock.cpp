#include "storage/data_lock.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace stele::storage {
namespace {

Error unusable(const std::filesystem::path& path, const std::string& why) {
    return Error(ErrorCode::unavailable, "The data folder cannot be used: " + path.string() + ": " + why);
}

}  // namespace

DataLock::DataLock(const std::filesystem::path& database_file) {
    const std::filesystem::path folder = database_file.parent_path();
    std::error_code failure;
    const bool made = std::filesystem::create_directories(folder, failure);
    if (failure) throw unusable(folder, failure.message());
    if (made) ::chmod(folder.c_str(), S_IRWXU);

    const std::string path = database_file.string() + ".lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor_ < 0) throw unusable(path, std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        std::string owner;
        std::ifstream(path) >> owner;
        ::close(descriptor_);
        throw unusable(folder, "another server (process " + (owner.empty() ? "unknown" : owner) + ") works in it");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    const bool written = ::ftruncate(descriptor_, 0) == 0 &&
                         ::pwrite(descriptor_, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
    static_cast<void>(written);  // a full disk must not keep the server from its data; the pid is a courtesy
}

DataLock::~DataLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace stele::storage
