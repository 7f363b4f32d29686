#pragma once

#include "domain/content.hpp"

namespace stele {

/// Larger ones are neither fetched nor kept: no model takes them.
inline constexpr std::size_t image_bytes_max = 20u << 20;

/// Where an image comes from: the `source` of an image part.
struct ImageSource {
    std::string type;        ///< url, base64, or letta (a stored file)
    std::string url;         ///< of a url
    std::string media_type;  ///< such as image/png; empty: not said
    std::string data;        ///< base64; of a url nothing
    std::string file_id;     ///< of a letta source
    std::string detail;      ///< low, high, auto, or nothing
};

/// Empty members where the part says nothing.
ImageSource image_source(const ContentPart& part);

/// Makes `part` an image that is stored with its message.
void store_image(ContentPart& part, const std::string& media_type, const std::string& base64);

/// Whether a media type is one of images, of any kind.
inline bool is_image_type(std::string_view media_type) { return media_type.starts_with("image/"); }

/// The media type that an image's first bytes show (PNG, JPEG, GIF, WebP: what models read); empty for all else.
std::string image_type_of(std::string_view bytes);

/// An image as a data URL (RFC 2397): "data:image/png;base64,...".
std::string image_data_url(const std::string& media_type, std::string_view bytes);

/// The bytes of an image that such a URL holds. Nothing if it is none, or no image that models read, or too large.
std::optional<std::string> image_of_data_url(std::string_view url);

}  // namespace stele
