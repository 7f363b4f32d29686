#include "domain/chat_completion.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

struct ChatImageUrl {
    std::string url;
    Patch<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(ChatImageUrl, (), (url, detail))

struct ChatContentPart {
    std::string type;
    std::string text;
    Patch<ChatImageUrl> image_url;
};
BOOST_DESCRIBE_STRUCT(ChatContentPart, (), (type, text, image_url))

struct ChatContent {
    std::vector<ChatContentPart> content;
};
BOOST_DESCRIBE_STRUCT(ChatContent, (), (content))

ContentPart part_of(const ChatContentPart& part) {
    if (part.type == "text") return text_part(part.text);
    if (part.type != "image_url" || !part.image_url.has_value())
        throw refused("messages: a part of content must be of type text or image_url");
    ContentPart image;
    image.type = "image";
    std::string source = "{\"type\":\"url\",\"url\":" + json_string(part.image_url->url);
    if (part.image_url->detail.has_value()) source += ",\"detail\":" + json_string(*part.image_url->detail);
    image.source = Json{source + "}"};
    return image;
}

}  // namespace

MessageContent last_user_content(const ChatCompletionRequest& request) {
    const auto last = std::find_if(request.messages.rbegin(), request.messages.rend(),
                                   [](const ChatInputMessage& message) { return message.role == "user"; });
    if (last == request.messages.rend()) throw refused("messages: there is no message of role user");
    MessageContent content;
    const std::string json = last->content.value_or(Json{}).text;
    if (json.starts_with('"')) {
        content.parts.push_back(text_part(json_member_text("{\"t\":" + json + "}", "t").value_or("")));
        return content;
    }
    if (!json.starts_with('[')) throw refused("messages: the content of a user message must be a text or a list");
    for (const ChatContentPart& part : mapping::decode_from<ChatContent>("{\"content\":" + json + "}", false).content)
        content.parts.push_back(part_of(part));
    return content;
}

STELE_JSON_READ(ChatCompletionRequest)
STELE_JSON_WRITTEN(ChatCompletion)
STELE_JSON_WRITTEN(ChatCompletionChunk)
STELE_JSON_WRITTEN(ChatError)

}  // namespace stele
