#pragma once

#include <string>
#include <string_view>

namespace stele::tools::web {

/// The readable content of a page as Markdown: its title as the first heading, then of the page its main part (<main>,
/// an <article>, else the body without navigation, headers, footers and asides): headings, paragraphs, lists, tables,
/// quotes, code, links and images with absolute addresses. Nothing that a reader would not see.
/// `html`: UTF-8. `url`: the page's own, to which its links are relative. Any text gives some answer, at most 2 MiB of
/// it, in time linear to its length. Thread-safe.
std::string page_to_markdown(std::string_view html, const std::string& url);

}  // namespace stele::tools::web
