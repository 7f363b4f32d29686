#include "api/images.hpp"

#include "base/base64.hpp"
#include "base/ids.hpp"
#include "domain/image.hpp"
#include "net/client.hpp"
#include "net/url.hpp"
#include "runtime/file_service.hpp"

namespace stele::api {
namespace {

constexpr std::chrono::milliseconds patience{5'000};
constexpr std::size_t named_max = 20;  // of one request, by URL or by file id
constexpr int attempts_max = 2;        // a time-out is worth another
constexpr int redirects_max = 3;
constexpr std::size_t sniffed_characters = 64;

// What may be said of a URL: neither its path nor its query, which may be a secret.
std::string host_of(const std::string& url) {
    const auto parsed = net::parse_url(url);
    return parsed ? parsed->host : "?";
}

Error no_image(const std::string& what) { return refused("The image " + what); }

void take(ContentPart& part, const std::string& bytes, const std::string& from) {
    const std::string media_type = image_type_of(bytes);
    if (media_type.empty()) throw no_image(from + " is no PNG, JPEG, GIF or WebP");
    store_image(part, media_type, to_base64(bytes));
}

// RFC 2397, of base64 alone: images are never written otherwise.
void take_data_url(ContentPart& part, std::string_view url) {
    const std::size_t comma = url.find(',');
    const std::string_view head = url.substr(0, comma);
    const auto bytes = comma == std::string_view::npos || !head.ends_with(";base64")
                           ? std::nullopt
                           : from_base64(url.substr(comma + 1));
    if (!bytes) throw no_image("in a data URL is no base64");
    take(part, *bytes, "in a data URL");
}

std::string behind_redirect(const std::string& url, const net::ClientResponse& answer) {
    const std::string* location = answer.headers.find("Location");
    return location == nullptr ? std::string() : net::resolve_reference(url, *location);
}

awaitable<net::ClientResponse> get(const Services& services, std::string url) {
    for (int attempt = 1;; ++attempt) {
        net::ClientRequest request;
        request.url = url;
        request.headers.add("User-Agent", "stele");
        request.headers.add("Accept", "image/*");
        request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = patience;
        request.body_bytes_max = image_bytes_max;
        try {
            net::ClientResponse answer = co_await services.egress.send(std::move(request));
            co_return answer;
        } catch (const Error& error) {
            if (error.code != ErrorCode::timed_out || attempt == attempts_max)
                throw no_image("at " + host_of(url) + " can't be had: " + error.what());
        }
    }
}

awaitable<void> fetch(const Services& services, ContentPart& part, std::string url) {
    for (int redirects = 0;; ++redirects) {
        if (!net::parse_url(url)) throw no_image("needs an http, https or data URL, or base64");
        const net::ClientResponse answer = co_await get(services, url);
        if (answer.status == 200) {
            take(part, answer.body, "at " + host_of(url));
            co_return;
        }
        const bool elsewhere = answer.status >= 301 && answer.status <= 308 && redirects < redirects_max;
        std::string next = elsewhere ? behind_redirect(url, answer) : std::string();
        if (next.empty())
            throw no_image("at " + host_of(url) + " can't be had: status " + std::to_string(answer.status));
        url = std::move(next);
    }
}

struct NamedImage {
    ContentPart* part = nullptr;
    std::string where;  ///< the field of the request, such as body.input.0.source
};

void look(std::vector<ContentPart>& parts, const std::string& where, std::vector<NamedImage>& images) {
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].type == "image") images.push_back({&parts[i], where + "." + std::to_string(i) + ".source"});
}

void look(Patch<std::vector<ApprovalDecision>>& decisions, const std::string& where, std::vector<NamedImage>& images) {
    if (!decisions.has_value()) return;
    for (std::size_t i = 0; i < (*decisions).size(); ++i)
        if (auto& parts = (*decisions)[i].parts) look(*parts, where + "." + std::to_string(i) + ".tool_return", images);
}

void look(std::vector<InputMessage>& messages, std::vector<NamedImage>& images) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        InputMessage& message = messages[i];
        const std::string where = "body.messages." + std::to_string(i);
        if (message.content.has_value()) look((*message.content).parts, where + ".content", images);
        look(message.approvals, where + ".approvals", images);
        look(message.tool_returns, where + ".tool_returns", images);
    }
}

void check(const ImageSource& source, const std::string& where) {
    if (source.type == "url" && source.url.empty()) throw invalid_field(where + ".url", "is required");
    if (source.type == "base64" && (source.data.empty() || !is_base64(source.data)))
        throw invalid_field(where + ".data", "must be base64 with its padding");
    if (source.type != "url" && source.type != "base64" && source.type != "letta")
        throw invalid_field(where + ".type", "must be one of: url, base64, letta");
}

void count(std::size_t& named) {
    if (++named > named_max)
        throw refused("A request may name no more than " + std::to_string(named_max) + " images by URL or file id");
}

// A client-side token is good for what its policy names, and no policy names files.
awaitable<void> take_file(const Services& services, const Request& request, const NamedImage& image,
                          std::string file_id) {
    if (!is_id(file_id, "file")) throw invalid_field(image.where + ".file_id", "must match 'file-{uuid4}'");
    if (request.token)
        throw Error(ErrorCode::permission_denied,
                    "A client-side token names no files: send the image by URL or as base64");
    const std::string bytes = co_await services.file_service.image(request.organization_id, std::move(file_id));
    take(*image.part, bytes, "of the file");
}

awaitable<void> bring(const Services& services, const Request& request, std::vector<NamedImage> images) {
    std::size_t named = 0;
    for (const NamedImage& image : images) {
        ImageSource source = image_source(*image.part);
        check(source, image.where);
        if (source.type == "url" && source.url.starts_with("data:")) {
            take_data_url(*image.part, source.url);
        } else if (source.type == "url") {
            count(named);
            co_await fetch(services, *image.part, std::move(source.url));
        } else if (source.data.empty()) {
            count(named);
            co_await take_file(services, request, image, std::move(source.file_id));
        } else {
            // Some providers refuse an image that is not what its media type says.
            const std::string sniffed =
                image_type_of(from_base64(std::string_view(source.data).substr(0, sniffed_characters)).value_or(""));
            if (!sniffed.empty() && sniffed != source.media_type) store_image(*image.part, sniffed, source.data);
        }
    }
}

}  // namespace

awaitable<void> bring_images(const Services& services, const Request& request, MessageRequest& body) {
    std::vector<NamedImage> images;
    if (body.input.has_value()) look((*body.input).parts, "body.input", images);
    if (body.messages.has_value()) look(*body.messages, images);
    if (!images.empty()) co_await bring(services, request, std::move(images));
}

awaitable<void> bring_images(const Services& services, const Request& request, std::vector<InputMessage>& messages) {
    std::vector<NamedImage> images;
    look(messages, images);
    if (!images.empty()) co_await bring(services, request, std::move(images));
}

awaitable<void> bring_images(const Services& services, const Request& request, MessageContent& content) {
    std::vector<NamedImage> images;
    look(content.parts, "body.content", images);
    if (!images.empty()) co_await bring(services, request, std::move(images));
}

}  // namespace stele::api
