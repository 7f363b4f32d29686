#pragma once

#include "base/byte_source.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string_view>

namespace stele::net {

/// The body of one large request, in a file without a name: gone with the last who holds it, and with the process.
/// append() and read() block for the disk.
class SpooledBody final : public ByteSource {
public:
    /// Takes over the descriptor; `open`: counted down at the end.
    SpooledBody(int file, std::shared_ptr<std::atomic<std::size_t>> open) : file_(file), open_(std::move(open)) {}
    ~SpooledBody() override;
    SpooledBody(const SpooledBody&) = delete;
    SpooledBody& operator=(const SpooledBody&) = delete;

    /// Throws Error{unavailable} if the disk takes no more.
    void append(std::string_view bytes);

    std::uint64_t size() const override { return size_; }
    std::size_t read(std::uint64_t offset, char* into, std::size_t most) const override;

private:
    int file_;
    std::shared_ptr<std::atomic<std::size_t>> open_;
    std::uint64_t size_ = 0;
};

/// Where large bodies are put: files in `folder`, readable by the owner alone and unlinked at once. Thread-safe.
class BodySpool {
public:
    BodySpool(std::filesystem::path folder, std::size_t at_once_max)
        : folder_(std::move(folder)), at_once_max_(at_once_max) {}

    /// A new one, empty. Null if as many as there may be are there already. Throws Error{unavailable} if no file can be
    /// made.
    std::shared_ptr<SpooledBody> open();

private:
    std::filesystem::path folder_;
    std::size_t at_once_max_;
    std::shared_ptr<std::atomic<std::size_t>> open_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace stele::net
