#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stele::runtime {

/// `theirs` with what `ours` changed of `base`, both of which began as `base`; UTF-8. Each side counts as one edit,
/// from the first place where it differs to the last. Nothing if the two edits touch: then no machine knows what was
/// meant. Text that both put at one place is kept of both, theirs first.
std::optional<std::string> merged_text(std::string_view base, std::string_view ours, std::string_view theirs);

}  // namespace stele::runtime
