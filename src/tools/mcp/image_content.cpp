#include "tools/mcp/image_content.hpp"

#include "base/base64.hpp"
#include "domain/image.hpp"

#include <algorithm>

namespace stele::tools::mcp {
namespace {

constexpr std::size_t sniffed_characters = 64;

ReadImage refusal(std::string why) {
    ReadImage read;
    read.problem = std::move(why);
    return read;
}

}  // namespace

ReadImage read_image(const std::string& base64) {
    if (base64.empty() || !is_base64(base64)) return refusal("no valid base64");
    if (decoded_bytes(base64) > image_bytes_max)
        return refusal("more than the " + std::to_string(image_bytes_max) + " bytes that models take");
    ReadImage read;
    read.media_type = image_type_of(from_base64(base64.substr(0, sniffed_characters)).value_or(""));
    if (read.media_type.empty()) return refusal("no PNG, JPEG, GIF or WebP");
    read.part.emplace().type = "image";
    store_image(*read.part, read.media_type, base64);
    return read;
}

std::size_t decoded_bytes(std::string_view base64) {
    const std::size_t padding = base64.ends_with("==") ? 2 : base64.ends_with('=') ? 1 : 0;
    return base64.size() / 4 * 3 - std::min(padding, base64.size() / 4 * 3);
}

}  // namespace stele::tools::mcp
