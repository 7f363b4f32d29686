#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The texts that memory_apply_patch takes. Pure; each throws ToolFailure with a text for the model.
namespace stele::tools::edits {

/// One block's part of a patch over several blocks:
///     *** Add Block: <label>       its text follows, each line behind a '+'
///     *** Delete Block: <label>
///     *** Update Block: <label>    hunks follow
///     *** Move to: <label>         behind an Update line: the block's new label
/// "*** Begin Patch" and "*** End Patch" may stand around them.
struct PatchSection {
    enum class Kind { add, remove, update };
    Kind kind = Kind::update;
    std::string label;
    std::string new_label;  ///< of an update; empty: it stays
    std::string text;       ///< of an add
    std::string hunks;      ///< of an update; may be empty beside a new label
};

/// None if the patch names no block: then all of it is hunks.
std::vector<PatchSection> parse_sections(std::string_view patch);

/// Applies the hunks of a unified diff (GNU diffutils manual, "Detailed Description of Unified Format"). The kept and
/// removed lines must stand in `value`, one behind the other. Where they stand several times the line number of the
/// hunk's header decides, and without one the hunk is refused: models get numbers wrong, so they are never more than a
/// hint.
std::string apply_hunks(const std::string& value, std::string_view patch);

}  // namespace stele::tools::edits
