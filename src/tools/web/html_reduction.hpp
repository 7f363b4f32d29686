#pragma once

#include <string>
#include <string_view>

namespace stele::tools::web {

/// HTML as far as its reader's text needs it: start tags with the few attributes that matter, each spelled
/// name="value", end tags and text. Gone are comments, scripts, styles, frames, drawings, form texts, names that are
/// none, repeated attributes. What is left says the same to every parser, is at most `tags_max` tags, and takes a
/// parser no more than linear time: else thousands of attributes in one tag, say, would take hours.
/// Takes and gives UTF-8. Source: HTML 13.2.5 (tokenization).
std::string reduced_html(std::string_view html);

}  // namespace stele::tools::web
