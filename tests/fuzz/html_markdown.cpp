// Any bytes as a web page: its text is UTF-8 and bounded, and reducing a page twice changes nothing more.
#include "base/utf8.hpp"
#include "tools/web/charset.hpp"
#include "tools/web/html_reduction.hpp"
#include "tools/web/markdown.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string html = stele::tools::web::to_utf8(bytes, size % 3 == 0 ? "windows-1251" : "", true);
    const std::string reduced = stele::tools::web::reduced_html(html);
    if (stele::tools::web::reduced_html(reduced) != reduced) std::abort();
    const std::string markdown = stele::tools::web::page_to_markdown(html, "https://example.org/a/b?c");
    if (!stele::is_utf8(markdown) || markdown.size() > (3u << 20)) std::abort();
    return 0;
}
