#include "net/body_spool.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace stele::net {
namespace {

Error unusable(const char* text) {
    log::error("http.body_spool_failed", {{"why", std::strerror(errno)}});
    return Error(ErrorCode::unavailable, text);
}

// Not every file system makes files without names.
int unnamed_file(const std::filesystem::path& folder) {
    const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) return file;
    std::string name = (folder / ".upload-XXXXXX").string();
    const int named = ::mkostemp(name.data(), O_CLOEXEC);
    if (named >= 0) ::unlink(name.c_str());
    return named;
}

}  // namespace

SpooledBody::~SpooledBody() {
    ::close(file_);
    --*open_;
}

void SpooledBody::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) throw unusable("The server has no room for the request's body");
        bytes.remove_prefix(static_cast<std::size_t>(written));
        size_ += static_cast<std::uint64_t>(written);
    }
}

std::size_t SpooledBody::read(std::uint64_t offset, char* into, std::size_t most) const {
    for (;;) {
        const ssize_t bytes = ::pread(file_, into, most, static_cast<off_t>(offset));
        if (bytes >= 0) return static_cast<std::size_t>(bytes);
        if (errno != EINTR) throw unusable("The request's body can't be read back");
    }
}

std::shared_ptr<SpooledBody> BodySpool::open() {
    if (++*open_ > at_once_max_) {
        --*open_;
        return nullptr;
    }
    const int file = unnamed_file(folder_);
    if (file < 0) {
        --*open_;
        throw unusable("The server has no room for the request's body");
    }
    return std::make_shared<SpooledBody>(file, open_);
}

}  // namespace stele::net
