#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace stele {

/// Bytes that lie still and can be read more than once, from any place: in memory or in a file. Thread-safe.
class ByteSource {
public:
    virtual ~ByteSource() = default;

    virtual std::uint64_t size() const = 0;

    /// Copies bytes from `offset` on to `into`, at most `most`; returns how many, 0 at the end. May block for the disk.
    /// Throws Error{unavailable} if they can't be read.
    virtual std::size_t read(std::uint64_t offset, char* into, std::size_t most) const = 0;
};

/// Those of a text.
class TextBytes final : public ByteSource {
public:
    explicit TextBytes(std::string text) : text_(std::move(text)) {}

    std::uint64_t size() const override { return text_.size(); }
    std::size_t read(std::uint64_t offset, char* into, std::size_t most) const override {
        if (offset >= text_.size()) return 0;
        const std::size_t bytes = std::min(most, text_.size() - static_cast<std::size_t>(offset));
        std::memcpy(into, text_.data() + offset, bytes);
        return bytes;
    }

private:
    std::string text_;
};

}  // namespace stele
