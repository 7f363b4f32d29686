#include "domain/message_edit.hpp"

#include "base/error.hpp"
#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele {
namespace {

constexpr char speaking_tool[] = "send_message";

bool is_spoken(const ContentPart& part) { return part.type == "text" || part.type == "image"; }

std::string shown_type(MessageRole role) {
    switch (role) {
        case MessageRole::system:
            return "system_message";
        case MessageRole::user:
            return "user_message";
        case MessageRole::assistant:
            return "assistant_message";
        default:
            return {};
    }
}

// True if the agent said it by a call.
bool change_speech(std::vector<MessageToolCall>& calls, const MessageContent& content) {
    const auto speech =
        std::find_if(calls.begin(), calls.end(), [](const auto& call) { return call.name == speaking_tool; });
    if (speech == calls.end()) return false;
    boost::system::error_code failure;
    boost::json::value arguments = boost::json::parse(speech->arguments, failure);
    if (failure || !arguments.is_object()) return false;
    arguments.get_object()["message"] = plain_text(content.parts);
    speech->arguments = boost::json::serialize(arguments);
    return true;
}

// The new parts stand where the first old one stood: behind the reasoning, before what is no speech.
void change_content(std::vector<ContentPart>& content, const MessageContent& now) {
    const auto first = std::find_if(content.begin(), content.end(), is_spoken);
    const auto place = first - content.begin();
    content.erase(std::remove_if(first, content.end(), is_spoken), content.end());
    content.insert(content.begin() + place, now.parts.begin(), now.parts.end());
}

}  // namespace

void check(const MessageEdit& edit, Problems& problems) {
    static const std::vector<std::string> types = {"system_message", "user_message", "assistant_message",
                                                   "reasoning_message"};
    const bool known =
        !edit.message_type.has_value() || std::find(types.begin(), types.end(), *edit.message_type) != types.end();
    if (!known)
        problems.add("message_type",
                     "must be one of: system_message, user_message, assistant_message, reasoning_message",
                     "literal_error", json_string(*edit.message_type));
    const bool reasons =
        edit.message_type.has_value() ? *edit.message_type == "reasoning_message" : edit.reasoning.has_value();
    if (reasons && !edit.reasoning.has_value()) problems.add("reasoning", "Field required", "missing", "null");
    if (!reasons && (!edit.content.has_value() || plain_text(edit.content->parts).empty()))
        problems.add("content", "must say something", "string_too_short");
}

std::string apply_edit(const MessageEdit& edit, Message& message) {
    const std::string type = edit.message_type.has_value() ? *edit.message_type
                             : edit.reasoning.has_value()  ? "reasoning_message"
                                                           : shown_type(message.role);
    if (type == "reasoning_message") {
        const auto thought = std::find_if(message.content.begin(), message.content.end(),
                                          [](const ContentPart& part) { return part.type == "reasoning"; });
        if (thought == message.content.end()) throw refused("Message " + message.id + " has no reasoning to edit");
        thought->reasoning = *edit.reasoning;
        thought->signature = {};
        return type;
    }
    if (message.role == MessageRole::summary)
        throw refused("Message " + message.id +
                      " is a summary, which can't be edited: the compaction can be undone, or made anew");
    if (type.empty() || type != shown_type(message.role))
        throw refused("Message " + message.id + " of role " + std::string(to_string(message.role)) + " shows as no " +
                      (type.empty() ? "message that could be edited" : type));
    const bool by_call = message.role == MessageRole::assistant && change_speech(message.tool_calls, *edit.content);
    if (!by_call) change_content(message.content, *edit.content);
    return type;
}

STELE_JSON_READ(MessageEdit)
STELE_JSON_WRITTEN(DeletedMessages)

}  // namespace stele
