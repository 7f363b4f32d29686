#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

namespace stele {

/// A piece of a message's content. Which members are there depends on `type`: text, image, reasoning,
/// redacted_reasoning, omitted_reasoning.
struct ContentPart {
    std::string type = "text";
    Patch<std::string> text;
    Patch<Json> source;     ///< of an image: {"type":"url"|"base64"|"letta", ...}
    Patch<bool> is_native;  ///< reasoning: written by the model's own reasoning channel
    Patch<std::string> reasoning;
    Patch<std::string> data;  ///< redacted_reasoning
    Patch<std::string> signature;
    Patch<std::string> detail;
};
BOOST_DESCRIBE_STRUCT(ContentPart, (), (type, text, source, is_native, reasoning, data, signature, detail))
void check(const ContentPart& part, Problems& problems);

ContentPart text_part(std::string text);
ContentPart reasoning_part(std::string reasoning, bool is_native, std::string signature);
/// Of reasoning whose words the provider keeps to itself.
ContentPart omitted_reasoning_part(std::string signature);

/// A text, or a list of parts. In JSON a single text is a string.
struct MessageContent {
    std::vector<ContentPart> parts;
};

void read_json(const boost::json::value& from, MessageContent& into, Problems& problems);
void write_json(const MessageContent& from, std::string& out);
Schema json_schema(const MessageContent*);

/// What somebody reads of parts who can't see pictures: the texts, and "[image]" for each image.
std::string plain_text(const std::vector<ContentPart>& parts);

}  // namespace stele
