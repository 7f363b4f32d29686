#include "net/local_socket.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stele::net {
namespace {

namespace fs = std::filesystem;

struct Folder {
    explicit Folder(const fs::path& path) : descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
    ~Folder() {
        if (descriptor >= 0) ::close(descriptor);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const int descriptor;
};

}  // namespace

void listen_on(const fs::path& path, boost::asio::local::stream_protocol::acceptor& acceptor) {
    const auto demand = [&](bool done, const char* step) {
        if (!done)
            throw Error(ErrorCode::unavailable, "Cannot listen at " + path.string() + ": " + step + ": " +
                                                    std::generic_category().message(errno));
    };
    std::error_code failure;
    fs::create_directories(path.parent_path(), failure);
    const Folder folder(path.parent_path());
    demand(folder.descriptor >= 0, "open its folder");
    demand(::chmod(path.parent_path().c_str(), 0700) == 0, "make its folder private");
    demand(::unlink(path.c_str()) == 0 || errno == ENOENT, "remove an old one");
    // An address holds a hundred characters. So the folder is named by its descriptor.
    const std::string address = "/proc/self/fd/" + std::to_string(folder.descriptor) + "/" + path.filename().string();
    try {
        acceptor.open();
        acceptor.bind(address);
        // A sandbox that root starts runs as somebody else, whom the folder keeps out and a bind mount lets in.
        demand(::chmod(path.c_str(), ::geteuid() == 0 ? 0666 : 0600) == 0, "set its mode");
        acceptor.listen(256);
    } catch (const boost::system::system_error& problem) {
        throw Error(ErrorCode::unavailable, "Cannot listen at " + path.string() + ": " + problem.code().message());
    }
}

}  // namespace stele::net
