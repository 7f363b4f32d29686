#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele {

/// Spreads compact JSON over lines, two spaces a level. The text may come in pieces, cut anywhere; white space between
/// tokens is expected to be absent.
class JsonIndenter {
public:
    /// Appends what the next piece becomes to `out`.
    void add(std::string_view compact, std::string& out);

private:
    void new_line(std::string& out) const;

    std::size_t depth_ = 0;
    bool in_text_ = false;
    bool escaped_ = false;
    bool opened_ = false;  ///< a bracket was opened and nothing stands behind it yet
};

}  // namespace stele
