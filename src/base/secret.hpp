#pragma once

#include <string>
#include <string_view>

namespace stele {

/// A password, key or token. Has no operator<<, no JSON and no comparison but the constant-time one, and wipes itself.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(Secret other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~Secret() { wipe(); }

    bool empty() const { return text_.empty(); }

    /// The text, for the one line that puts it on the wire.
    const std::string& reveal() const { return text_; }

    /// Whether `candidate` is this secret; takes the same time wherever they differ, and whatever the lengths.
    bool matches(std::string_view candidate) const;

private:
    void wipe();

    std::string text_;
};

}  // namespace stele
