#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::tools {

/// Keeps the beginning and the end of a text of any length, `half` bytes each.
class OutputCapture {
public:
    explicit OutputCapture(std::size_t half) : half_(half) {}

    void add(std::string_view piece);

    /// What was kept, as valid UTF-8, with a note where bytes were left out.
    std::string text() const;

private:
    std::size_t half_;
    std::string head_;
    std::string tail_;  ///< at most 2 * half_: cut when it gets there, so that a byte is moved once
    std::size_t left_out_ = 0;
};

}  // namespace stele::tools
