#pragma once

#include "domain/content.hpp"

#include <optional>
#include <string>

namespace stele::tools::mcp {

/// What a server gives as a picture: a part for the message, or why it is none.
struct ReadImage {
    std::optional<ContentPart> part;  ///< of type image, its bytes within, of the media type that they show
    std::string media_type;           ///< of the part
    std::string problem;              ///< without a part: why, in a few words
};

/// `base64`: what the server sent, with its padding (RFC 4648 section 4). A part for PNG, JPEG, GIF and WebP of up to
/// image_bytes_max bytes; what the server calls its type does not matter, since providers look at the bytes too.
ReadImage read_image(const std::string& base64);

/// The bytes that `base64` stands for, if it is base64.
std::size_t decoded_bytes(std::string_view base64);

}  // namespace stele::tools::mcp
