#include "domain/image.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"

#include <boost/json/parse.hpp>

namespace stele {

ImageSource image_source(const ContentPart& part) {
    ImageSource source;
    if (!part.source.has_value()) return source;
    boost::system::error_code failure;
    const boost::json::value json = boost::json::parse(part.source->text, failure);
    if (failure || !json.is_object()) return source;
    const auto member = [&](std::string_view name) {
        const boost::json::value* found = json.get_object().if_contains(name);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    source.type = member("type");
    source.url = member("url");
    source.media_type = member("media_type");
    source.data = member("data");
    source.file_id = member("file_id");
    source.detail = member("detail");
    return source;
}

void store_image(ContentPart& part, const std::string& media_type, const std::string& base64) {
    const std::string detail = image_source(part).detail;
    Json source;
    source.text = "{\"type\":\"base64\",\"media_type\":" + json_string(media_type) + ",\"data\":\"" + base64 +
                  "\",\"detail\":" + (detail.empty() ? "null" : json_string(detail)) + "}";
    part.source = std::move(source);
}

std::string image_type_of(std::string_view bytes) {
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
    if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return "image/gif";
    if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP") return "image/webp";
    return {};
}

std::string image_data_url(const std::string& media_type, std::string_view bytes) {
    return "data:" + media_type + ";base64," + to_base64(bytes);
}

std::optional<std::string> image_of_data_url(std::string_view url) {
    if (!url.starts_with("data:image/")) return std::nullopt;
    const std::string_view head = url.substr(0, url.find(',') + 1);
    if (!head.ends_with(";base64,")) return std::nullopt;
    std::optional<std::string> bytes = from_base64(url.substr(head.size()));
    if (!bytes || bytes->size() > image_bytes_max || image_type_of(*bytes).empty()) return std::nullopt;
    return bytes;
}

}  // namespace stele
