#include "tools/sandbox/output_capture.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace stele::tools {

void OutputCapture::add(std::string_view piece) {
    const std::size_t taken = std::min(piece.size(), half_ - head_.size());
    head_.append(piece.substr(0, taken));
    piece.remove_prefix(taken);
    if (piece.size() > half_) {
        left_out_ += tail_.size() + piece.size() - half_;
        tail_.assign(piece.substr(piece.size() - half_));
        return;
    }
    tail_.append(piece);
    if (tail_.size() < 2 * half_) return;
    left_out_ += tail_.size() - half_;
    tail_.erase(0, tail_.size() - half_);
}

std::string OutputCapture::text() const {
    const std::size_t surplus = tail_.size() > half_ ? tail_.size() - half_ : 0;
    std::string made = head_;
    if (const std::size_t missing = left_out_ + surplus; missing > 0)
        made += "\n[" + std::to_string(missing) + " bytes left out]\n";
    made.append(tail_, surplus);
    return to_valid_utf8(made);
}

}  // namespace stele::tools
