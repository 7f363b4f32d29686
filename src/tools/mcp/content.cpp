#include "tools/mcp/content.hpp"

#include "base/utf8.hpp"
#include "domain/image.hpp"
#include "tools/mcp/image_content.hpp"
#include "tools/mcp/rpc.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

constexpr std::size_t text_bytes_max = 4u << 20;
constexpr int images_max = 20;  // of one result: providers take no request with many more

// "[image: image/png, 1234 bytes]"
std::string note(const std::string& what, std::string type, const std::string& base64, const std::string& problem) {
    if (type.empty()) type = "unknown type";
    return "[" + what + ": " + type + ", " + std::to_string(decoded_bytes(base64)) + " bytes" +
           (problem.empty() ? "" : "; not shown: " + problem) + "]";
}

// Takes the contents of a result one by one.
class Contents {
public:
    void take(const json::value& part) {
        const std::string type = text_member(part, "type");
        const json::value& resource = member(part, "resource");
        if (type == "text") {
            say(type, text_member(part, "text"));
            has_text_ = true;
        } else if (type == "image") {
            take_bytes(type, type, text_member(part, "mimeType"), text_member(part, "data"));
        } else if (type == "audio") {
            say(type, note(type, text_member(part, "mimeType"), text_member(part, "data"), {}));
        } else if (type == "resource" && member(resource, "text").is_string()) {
            say(type, text_member(resource, "text"));
        } else if (type == "resource") {
            take_bytes(type, "resource " + text_member(resource, "uri"), text_member(resource, "mimeType"),
                       text_member(resource, "blob"));
        } else if (type == "resource_link") {
            say(type, text_member(part, "name") + ": " + text_member(part, "uri"));
        } else {
            say("?", "[content of the unknown type '" + type + "']");
        }
    }

    void take_structured(const json::value& structured) {
        std::vector<std::string> images;
        for (const ContentPart& part : parts_)
            if (part.type == "image") images.push_back(image_source(part).data);
        if (!repeats(structured, images)) say("structured", json::serialize(structured));
    }

    bool full() const { return text_.size() > text_bytes_max; }
    bool has_text() const { return has_text_; }
    std::string take_text() { return std::move(text_); }

    std::vector<ContentPart> take_parts() {
        if (images_ == 0) return {};
        end_words();
        return std::move(parts_);
    }

private:
    // `kind` is "image" or "resource". Bytes of a resource are a picture if they are one, whatever they are called.
    void take_bytes(const std::string& kind, const std::string& what, const std::string& type,
                    const std::string& base64) {
        const bool meant = kind == "image" || is_image_type(type);
        ReadImage image = read_image(base64);
        if (image.part && images_ == images_max) {
            image.part.reset();
            image.problem = "more than " + std::to_string(images_max) + " images";
        }
        if (!image.part) return say(kind, note(what, type, base64, meant ? image.problem : std::string()));
        add_to(text_, kind, note(what, image.media_type, base64, {}));
        if (kind == "resource") add_to(words_, kind, what + ":");
        end_words();
        parts_.push_back(std::move(*image.part));
        before_ = kind;
        ++images_;
    }

    void say(const std::string& kind, const std::string& words) {
        add_to(text_, kind, words);
        add_to(words_, kind, words);
        before_ = kind;
    }

    void add_to(std::string& text, const std::string& kind, const std::string& words) const {
        if (!text.empty()) text += before_ == "text" && kind == "text" ? " " : "\n";
        text += words;
    }

    void end_words() {
        std::erase(words_, '\0');
        words_.resize(first_bytes(words_, text_bytes_max).size());
        if (!words_.empty()) parts_.push_back(text_part(std::exchange(words_, {})));
    }

    // Servers that describe their results give what is in the content once more: as it is, or behind the words of a
    // data URL. It is not looked for within a text: both may be made so that the search would take for ever.
    static bool repeats(const json::value& value, const std::vector<std::string>& images) {
        if (value.is_string()) {
            const std::string_view text = value.get_string();
            return std::any_of(images.begin(), images.end(), [&](const auto& image) { return text.ends_with(image); });
        }
        if (value.is_array())
            for (const json::value& each : value.get_array())
                if (repeats(each, images)) return true;
        if (value.is_object())
            for (const auto& [key, each] : value.get_object())
                if (repeats(each, images)) return true;
        return false;
    }

    std::string text_;    ///< of everything
    std::string words_;   ///< since the last image
    std::string before_;  ///< kind of what came last
    std::vector<ContentPart> parts_;
    bool has_text_ = false;
    int images_ = 0;
};

}  // namespace

CallResult call_result(const json::value& result) {
    if (!result.is_object()) return {false, true, "The server's answer is no result of a tool"};
    const std::string kind = text_member(result, "resultType");
    if (kind == "input_required")
        return {false, true, "The tool asks its user for more input, which can't be given here"};
    if (!kind.empty() && kind != "complete")
        return {false, true, "The server's answer is of the unknown kind '" + kind + "'"};
    Contents contents;
    if (const json::value& list = member(result, "content"); list.is_array())
        for (const json::value& part : list.get_array()) {
            contents.take(part);
            if (contents.full()) break;
        }
    const json::value& structured = member(result, "structuredContent");
    if (!contents.has_text() && !structured.is_null()) contents.take_structured(structured);
    std::string text = contents.take_text();
    if (text.empty()) text = "Empty response from tool";
    std::erase(text, '\0');
    text.resize(first_bytes(text, text_bytes_max).size());
    const json::value& failed = member(result, "isError");
    return {!(failed.is_bool() && failed.get_bool()), true, std::move(text), contents.take_parts()};
}

}  // namespace stele::tools::mcp
