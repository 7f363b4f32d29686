#include "llm/offline_rules.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

namespace stele::llm {
namespace {

namespace json = boost::json;
using Words = std::vector<std::string>;

constexpr std::string_view introduction =
    "I am Stele's built-in offline model: a small set of rules, not a language model. I can remember what you tell me, "
    "find it again and call tools by name; for real conversations connect a model.";

std::string lowered(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(trimmed(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    std::erase(lines, std::string());
    return lines;
}

Words words_of(std::string_view text) {
    Words words;
    std::string word;
    for (const char c : lowered(text) + " ") {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || std::isalnum(byte) != 0 || c == '_')
            word += c;
        else if (!word.empty())
            words.push_back(std::exchange(word, {}));
    }
    return words;
}

// Words that tell something; the little ones are in every sentence.
std::set<std::string> content_words(std::string_view text) {
    static const std::set<std::string> little = {
        "a",     "an",   "and",   "are",   "about", "at",   "can",   "could", "did",    "do",       "does", "for",
        "from",  "have", "has",   "how",   "i",     "im",   "in",    "is",    "it",     "know",     "me",   "my",
        "of",    "on",   "or",    "said",  "say",   "tell", "that",  "the",   "to",     "told",     "user", "was",
        "what",  "when", "where", "which", "who",   "why",  "you",   "your",  "please", "remember", "m",    "s",
        "there", "with", "be",    "am",    "were",  "will", "would", "this",  "these",  "those",    "they", "s"};
    std::set<std::string> words;
    for (std::string& word : words_of(text)) {
        if (little.contains(word)) continue;
        if (word.size() > 3 && word.back() == 's') word.pop_back();  // "likes" and "like"
        words.insert(std::move(word));
    }
    return words;
}

bool begins_with_any(const std::string& text, std::initializer_list<std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view each) { return text.starts_with(each); });
}

const ToolSpec* find_tool(const ModelRequest& request, std::string_view name) {
    for (const ToolSpec& tool : request.tools)
        if (tool.name == name) return &tool;
    return nullptr;
}

// ---- what may be answered ----

json::object schema_of(const ToolSpec& tool) {
    boost::system::error_code failure;
    json::value parsed = json::parse(tool.parameters_json, failure);
    return failure || !parsed.is_object() ? json::object() : parsed.get_object();
}

json::value blank_of(const json::value& property) {
    const json::object* object = property.if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    const std::string_view word =
        type != nullptr && type->is_string() ? std::string_view(type->get_string()) : std::string_view("string");
    if (word == "integer" || word == "number") return 0;
    if (word == "boolean") return false;
    if (word == "array") return json::array();
    if (word == "object") return json::object();
    return "";
}

// A call of `tool` with what its schema requires filled in: the loop's own parameters, and blanks for what nobody gave.
ToolCall call_of(const ToolSpec& tool, json::object arguments) {
    const json::object schema = schema_of(tool);
    const json::object* properties = nullptr;
    if (const auto* own = schema.if_contains("properties")) properties = own->if_object();
    if (const auto* required = schema.if_contains("required");
        required != nullptr && required->is_array() && properties != nullptr) {
        for (const json::value& name : required->get_array()) {
            if (!name.is_string() || arguments.contains(name.get_string())) continue;
            if (name == "thinking")
                arguments["thinking"] = "A rule of mine applies.";
            else if (name == "request_heartbeat")
                arguments["request_heartbeat"] = true;
            else if (const auto* property = properties->if_contains(name.get_string()))
                arguments[name.get_string()] = blank_of(*property);
        }
    }
    ToolCall call;
    call.name = tool.name;
    call.arguments = json::serialize(arguments);
    return call;
}

ModelAnswer say(const ModelRequest& request, std::string text) {
    ModelAnswer answer;
    const ToolSpec* speak = find_tool(request, "send_message");
    const bool must_call =
        request.tool_choice.kind == ToolChoice::Kind::required || request.tool_choice.kind == ToolChoice::Kind::tool;
    if (must_call && speak != nullptr)
        answer.tool_calls.push_back(call_of(*speak, {{"message", text}}));
    else if (must_call && !request.tools.empty())
        answer.tool_calls.push_back(call_of(request.tool_choice.kind == ToolChoice::Kind::tool &&
                                                    find_tool(request, request.tool_choice.tool) != nullptr
                                                ? *find_tool(request, request.tool_choice.tool)
                                                : request.tools.front(),
                                            {}));
    else
        answer.text = std::move(text);
    return answer;
}

ModelAnswer call(const ToolSpec& tool, json::object arguments) {
    ModelAnswer answer;
    answer.tool_calls.push_back(call_of(tool, std::move(arguments)));
    return answer;
}

// ---- memory, as it stands in the system prompt ----

struct MemoryBlock {
    std::string label, value;
    bool read_only = false;
};

std::vector<MemoryBlock> memory_of(const ModelRequest& request) {
    std::vector<MemoryBlock> blocks;
    if (request.turns.empty() || request.turns.front().role != Role::system) return blocks;
    const std::string& text = request.turns.front().text;
    const std::size_t end = text.rfind("</memory_blocks>");
    for (std::size_t at = text.find("<memory_blocks>"); at < end;) {
        const std::size_t description = text.find(">\n<description>", at);
        if (description == std::string::npos || description > end) break;
        MemoryBlock block;
        const std::size_t open = text.rfind('<', description);
        block.label = text.substr(open + 1, description - open - 1);
        const std::size_t value = text.find("<value>\n", description),
                          close = text.find("</value>\n</" + block.label + ">", description);
        if (value == std::string::npos || close == std::string::npos) break;
        block.read_only = text.substr(description, value - description).find("- read_only=true") != std::string::npos;
        block.value = text.substr(value + 8, close - value - 8);
        blocks.push_back(std::move(block));
        at = close + 1;
    }
    return blocks;
}

std::optional<ModelAnswer> remember(const ModelRequest& request, const std::string& fact) {
    std::string label;
    for (const MemoryBlock& block : memory_of(request))
        if (!block.read_only && (label.empty() || block.label == "human")) label = block.label;
    if (label.empty()) return std::nullopt;
    if (const ToolSpec* tool = find_tool(request, "memory_insert"))
        return call(*tool, {{"label", label}, {"new_string", fact}});
    if (const ToolSpec* tool = find_tool(request, "core_memory_append"))
        return call(*tool, {{"label", label}, {"content", fact}});
    if (const ToolSpec* tool = find_tool(request, "memory"))
        return call(
            *tool, {{"command", "insert"}, {"path", "/memories/" + label}, {"insert_line", -1}, {"insert_text", fact}});
    return std::nullopt;
}

// The line of memory that shares most with the question, if any does.
std::string recall(const ModelRequest& request, const std::string& question) {
    const std::set<std::string> asked = content_words(question);
    std::string best;
    std::size_t best_score = 0;
    for (const MemoryBlock& block : memory_of(request)) {
        for (const std::string& line : lines_of(block.value)) {
            const std::set<std::string> words = content_words(line);
            std::size_t score = 0;
            for (const std::string& word : asked) score += words.count(word);
            if (score <= best_score) continue;
            best = line;
            best_score = score;
        }
    }
    return best;
}

// ---- what was said ----

bool is_heartbeat(const Turn& turn) {
    return turn.role == Role::user && turn.text.starts_with("{") &&
           turn.text.find("\"type\": \"heartbeat\"") != std::string::npos;
}

// "remember that ..." without its beginning; a sentence about oneself as it is; else nothing.
std::string fact_in(const std::string& text) {
    const std::string low = lowered(text);
    for (const std::string_view beginning :
         {"please remember that ", "please remember ", "remember that ", "remember: ", "remember "})
        if (low.starts_with(beginning)) return trimmed(std::string_view(text).substr(beginning.size()));
    if (text.find('?') != std::string::npos) return {};
    if (begins_with_any(low, {"my ", "i am ", "i'm ", "i like ", "i love ", "i hate ", "i live ", "i work ", "i have ",
                              "i prefer ", "call me "}))
        return text;
    for (const std::string_view inside : {" my name is ", ", i am ", ", i'm "}) {
        const std::size_t at = low.find(inside);
        if (at != std::string::npos)
            return trimmed(std::string_view(text).substr(at + (inside.front() == ',' ? 1 : 0)));
    }
    return {};
}

bool is_question(const std::string& text) {
    return text.find('?') != std::string::npos ||
           begins_with_any(lowered(text),
                           {"what ", "who ", "where ", "when ", "which ", "do you ", "did i ", "tell me "});
}

std::optional<json::object> object_in(std::string_view text) {
    const std::size_t begin = text.find('{');
    if (begin == std::string_view::npos) return std::nullopt;
    json::stream_parser parser;
    boost::system::error_code failure;
    parser.write_some(text.data() + begin, text.size() - begin, failure);
    if (failure || !parser.done()) return std::nullopt;
    json::value value = parser.release();
    return value.is_object() ? std::optional(value.get_object()) : std::nullopt;
}

std::optional<ModelAnswer> directives(const ModelRequest& request, const std::string& text) {
    ModelAnswer answer;
    for (const std::string& line : lines_of(text)) {
        if (line.starts_with("@say ")) return say(request, line.substr(5));
        if (!line.starts_with("@call ")) continue;
        const std::string rest = trimmed(line.substr(6));
        const std::string name = rest.substr(0, rest.find_first_of(" {"));
        json::object arguments = object_in(rest).value_or(json::object());
        ToolSpec unknown;
        unknown.name = name;
        const ToolSpec* tool = find_tool(request, name);
        answer.tool_calls.push_back(call_of(tool != nullptr ? *tool : unknown, std::move(arguments)));
    }
    return answer.tool_calls.empty() ? std::nullopt : std::optional(std::move(answer));
}

// "call NAME with {...}", "use NAME for TEXT": a tool's name behind a verb that means it.
std::optional<ModelAnswer> asked_call(const ModelRequest& request, const std::string& text) {
    const Words words = words_of(text);
    for (std::size_t i = 1; i < words.size(); ++i) {
        const bool verb =
            std::any_of(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i),
                        [](const std::string& word) { return word == "call" || word == "use" || word == "run"; });
        const ToolSpec* tool = find_tool(request, words[i]);
        if (!verb || tool == nullptr) continue;
        if (auto arguments = object_in(text)) return call(*tool, std::move(*arguments));
        // One required text: what stands behind the name is meant for it.
        json::object arguments;
        const std::string rest = trimmed(std::string_view(text).substr(lowered(text).find(words[i]) + words[i].size()));
        const json::object schema = schema_of(*tool);
        if (const auto* required = schema.if_contains("required");
            required != nullptr && required->is_array() && !required->get_array().empty())
            for (const json::value& name : required->get_array())
                if (name.is_string() && name != "thinking" && name != "request_heartbeat" && arguments.empty() &&
                    !rest.empty())
                    arguments[name.get_string()] =
                        begins_with_any(lowered(rest), {"for ", "with "}) ? trimmed(rest.substr(rest.find(' '))) : rest;
        return call(*tool, std::move(arguments));
    }
    return std::nullopt;
}

// ---- after a tool's return ----

std::string message_in_return(const std::string& packaged) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(packaged, failure);
    if (failure || !parsed.is_object()) return packaged;
    const auto* message = parsed.get_object().if_contains("message");
    if (message == nullptr) return packaged;
    return message->is_string() ? std::string(message->get_string()) : json::serialize(*message);
}

std::string found_in_search(const std::string& returned, const std::string& question) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(returned, failure);
    const json::object* object = failure ? nullptr : parsed.if_object();
    const auto* results = object == nullptr ? nullptr : object->if_contains("results");
    if (results != nullptr && results->is_array()) {
        for (const json::value& each : results->get_array()) {
            const json::object* result = each.if_object();
            const auto* content = result == nullptr ? nullptr : result->if_contains("content");
            const auto* role = result == nullptr ? nullptr : result->if_contains("role");
            if (content == nullptr || !content->is_string() || role == nullptr || *role != "user") continue;
            const std::string text(content->get_string());
            if (text != question && !is_question(text)) return "You once told me: " + text;
        }
    }
    return "I find nothing about that, neither in my memory nor in what we said.";
}

std::string report(const ModelRequest& request, std::size_t first_return, const std::string& question) {
    std::string text;
    for (std::size_t i = first_return; i < request.turns.size(); ++i) {
        const Turn& turn = request.turns[i];
        if (turn.role != Role::tool) continue;
        const std::string message = message_in_return(turn.text);
        const bool failed = turn.text.find("\"status\": \"Failed\"") != std::string::npos;
        if (!text.empty()) text += '\n';
        const bool memory = turn.name.starts_with("memory") || turn.name.starts_with("core_memory");
        const std::string fact = fact_in(question);
        if (failed)
            text += "The tool " + turn.name + " failed: " + message;
        else if (turn.name == "conversation_search" && is_question(question))
            text += found_in_search(message, question);
        else if (memory && !fact.empty())
            text += "I will remember: " + fact;
        else
            text += "The tool " + turn.name + " gave back: " + message;
    }
    return text;
}

}  // namespace

ModelAnswer offline_answer(const ModelRequest& request) {
    // The newest thing the person said, and whether tools have been called since.
    std::string said;
    std::size_t said_at = 0;
    bool returned = false;
    for (std::size_t i = 0; i < request.turns.size(); ++i) {
        const Turn& turn = request.turns[i];
        if (turn.role == Role::user && !is_heartbeat(turn)) {
            said = trimmed(turn.text);
            said_at = i;
            returned = false;
        } else if (turn.role == Role::tool) {
            returned = true;
        }
    }
    if (returned) return say(request, report(request, said_at, said));
    if (auto answer = directives(request, said)) return std::move(*answer);
    if (auto answer = asked_call(request, said)) return std::move(*answer);
    if (const std::string fact = fact_in(said); !fact.empty()) {
        if (auto answer = remember(request, fact)) return std::move(*answer);
        return say(request, "I have no memory block and tool to keep that in, but I have heard it: " + fact);
    }
    const Words words = words_of(said);
    const std::string low = lowered(said);
    if (low.find("who are you") != std::string::npos || low.find("what are you") != std::string::npos)
        return say(request, std::string(introduction));
    if (is_question(said)) {
        const std::string line = recall(request, said);
        if (!line.empty()) return say(request, "I remember: " + line);
        std::string query;
        for (const std::string& word : content_words(said)) query += (query.empty() ? "" : " ") + word;
        const ToolSpec* search = find_tool(request, "conversation_search");
        if (search != nullptr && !query.empty()) return call(*search, {{"query", query}});
        return say(request, "I don't know that yet. Tell me, and I will remember it.");
    }
    if (!words.empty() && (words[0] == "hello" || words[0] == "hi" || words[0] == "hey" || words[0] == "good")) {
        const std::string name = recall(request, "name");
        return say(request, "Hello! " + (name.empty() ? std::string() : "I remember: " + name + ". ") +
                                std::string(introduction));
    }
    return say(request, "You said: " + said + "\n" + std::string(introduction));
}

}  // namespace stele::llm
