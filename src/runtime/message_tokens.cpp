#include "runtime/message_tokens.hpp"

#include "llm/token_estimate.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

constexpr std::int64_t message_overhead_tokens = 4;

struct Images {
    std::int64_t count = 0;
    std::size_t bytes = 0;  // as they are stored
};

void add_images(const std::vector<ContentPart>& parts, Images& images) {
    for (const ContentPart& part : parts) {
        if (part.type != "image") continue;
        ++images.count;
        if (part.source.has_value()) images.bytes += part.source->text.size();
    }
}

Images images_of(const Message& message) {
    Images images;
    add_images(message.content, images);
    for (const MessageToolReturn& tool_return : message.tool_returns)
        if (tool_return.parts.has_value()) add_images(*tool_return.parts, images);
    return images;
}

}  // namespace

std::int64_t estimated_json_tokens(const Message& message, std::string_view json) {
    const Images images = images_of(message);
    return llm::estimated_tokens(json.size() - std::min(images.bytes, json.size())) + images.count * llm::image_tokens;
}

std::vector<std::int64_t> estimated_message_tokens(const std::vector<Message>& messages) {
    std::vector<std::int64_t> tokens;
    tokens.reserve(messages.size());
    for (const Message& message : messages) {
        std::size_t bytes = 0;
        for (const ContentPart& part : message.content)
            bytes += part.text.value_or("").size() + part.reasoning.value_or("").size();
        for (const MessageToolCall& call : message.tool_calls) bytes += call.name.size() + call.arguments.size();
        for (const MessageToolReturn& tool_return : message.tool_returns) bytes += tool_return.value.size();
        tokens.push_back(llm::estimated_tokens(bytes) + images_of(message).count * llm::image_tokens +
                         message_overhead_tokens);
    }
    return tokens;
}

}  // namespace stele::runtime
