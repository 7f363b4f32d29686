#pragma once

#include <string>
#include <string_view>

namespace stele {

/// What was changed between two texts, line by line, in the unified form: "@@ -1,3 +1,4 @@" and lines that begin with
/// ' ', '-' or '+'; three unchanged lines around each change. Empty for equal texts. Texts that differ in more than
/// `text_diff_edits_max` lines are told as one change from the first line that differs to the last.
/// Algorithm: Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
std::string text_diff(std::string_view before, std::string_view after);

inline constexpr std::size_t text_diff_edits_max = 1'000;

}  // namespace stele
