#include "app/secret_key.hpp"

#include "base/error.hpp"
#include "base/ids.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace stele::app {

Secret secret_key(const Options& options) {
    if (!options.secret_key.empty()) return options.secret_key;
    const std::filesystem::path path = options.data / "secret.key";
    std::string key;
    if (std::ifstream(path) >> key && !key.empty()) return Secret(std::move(key));

    key = random_hex(32);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const bool written =
        file >= 0 && ::write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && ::fsync(file) == 0;
    if (file >= 0) ::close(file);
    if (!written) throw Error(ErrorCode::unavailable, "The key file cannot be written: " + path.string());
    return Secret(std::move(key));
}

}  // namespace stele::app
