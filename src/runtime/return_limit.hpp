#pragma once

#include "domain/message.hpp"

#include <cstdint>

namespace stele::runtime {

/// Cuts the text of a return to `limit_characters` code points (at least one) and says so behind the cut. Of a return
/// in parts the texts are cut, all together, and the images stay as they are.
void shorten(MessageToolReturn& result, std::int64_t limit_characters);

}  // namespace stele::runtime
