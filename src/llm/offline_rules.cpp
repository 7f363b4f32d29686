#include "llm/offline_rules.hpp"

#include "llm/offline_memory.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>

namespace stele::llm {
namespace {

namespace json = boost::json;

constexpr std::string_view introduction =
    "I am Stele's built-in offline model: a small set of rules, not a language model. I can remember what you tell me, "
    "find it again and call tools by name; for real conversations connect a model.";

constexpr std::string_view help =
    "Try \"My name is Grace\", \"Remember that my sister is called Ada\", \"Who is my sister?\", \"What do you know "
    "about "
    "me?\", \"Forget that my sister is called Ada\", \"Search for Ada\", or \"call <tool> with {\"argument\": "
    "\"value\"}\".";

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

// ---- memory ----

std::optional<ModelAnswer> remember(const ModelRequest& request, const std::string& fact) {
    const std::string label = writable_label(memory_of(request));
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

// The line is replaced by nothing.
ModelAnswer forget(const ModelRequest& request, const std::string& what) {
    MemoryBlock block;
    std::vector<MemoryBlock> writable = memory_of(request);
    std::erase_if(writable, [](const MemoryBlock& each) { return each.read_only || each.label == "persona"; });
    const std::string line = recall(writable, what, &block);
    if (line.empty()) return say(request, "I remember nothing of that, so there is nothing to forget.");
    if (const ToolSpec* tool = find_tool(request, "memory_replace"))
        return call(*tool, {{"label", block.label}, {"old_string", line}, {"new_string", ""}});
    if (const ToolSpec* tool = find_tool(request, "core_memory_replace"))
        return call(*tool, {{"label", block.label}, {"old_content", line}, {"new_content", ""}});
    return say(request, "I have no tool to forget with; in my memory stands: " + line);
}

std::string everything_of(const ModelRequest& request) {
    std::string known;
    for (const MemoryBlock& block : memory_of(request))
        if (block.label != "persona")
            for (const std::string& line : lines_of(block.value)) known += "\n- " + line;
    return known.empty() ? "Nothing yet. Tell me something, and I will remember it."
                         : "This is what I remember:" + known;
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
         {"please remember that ", "please remember ", "remember that ", "remember: ", "remember ", "note that ",
          "note: ", "don't forget that ", "don't forget ", "please note that "})
        if (low.starts_with(beginning)) return trimmed(std::string_view(text).substr(beginning.size()));
    if (text.find('?') != std::string::npos) return {};
    if (begins_with_any(low, {"i need ", "i want ", "i would ", "i'd ", "i think ", "i guess ", "i mean ", "i see",
                              "i know", "i wonder ", "i hope ", "i said "}))
        return {};
    if (begins_with_any(low, {"my ", "our ", "i ", "i'm ", "i've ", "we ", "we're ", "call me "})) return text;
    for (const std::string_view inside : {" my name is ", ", i am ", ", i'm "}) {
        const std::size_t at = low.find(inside);
        if (at != std::string::npos)
            return trimmed(std::string_view(text).substr(at + (inside.front() == ',' ? 1 : 0)));
    }
    return {};
}

bool is_question(const std::string& text) {
    return text.find('?') != std::string::npos ||
           begins_with_any(lowered(text), {"what ", "what's ", "who ", "who's ", "where ", "when ", "which ", "how ",
                                           "why ", "do you ", "do i ", "did i ", "am i ", "can you ", "tell me "});
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

// "query=tea and limit=2", as far as the schema has such properties.
json::object pairs_in(std::string_view text, const json::object& properties) {
    json::object found;
    for (const auto& [name, property] : properties) {
        const std::string mark = std::string(name) + "=";
        const std::size_t at = text.find(mark);
        if (at == std::string_view::npos ||
            (at > 0 && std::string_view(" ,(").find(text[at - 1]) == std::string_view::npos))
            continue;
        std::string_view value = text.substr(at + mark.size());
        const bool quoted = !value.empty() && (value.front() == '"' || value.front() == '\'');
        value =
            quoted ? value.substr(1, value.find(value.front(), 1) - 1) : value.substr(0, value.find_first_of(" ,);?!"));
        boost::system::error_code failure;
        json::value parsed = json::parse(json::string_view(value.data(), value.size()), failure);
        const bool is_text = blank_of(property).is_string();
        found[name] =
            failure || is_text || quoted ? json::value(json::string_view(value.data(), value.size())) : parsed;
    }
    return found;
}

// What stands behind a tool's name is meant for its first required text, or its first text at all.
std::string first_text_of(const json::object& schema, const json::object& properties) {
    if (const auto* required = schema.if_contains("required"); required != nullptr && required->is_array())
        for (const json::value& name : required->get_array())
            if (name.is_string() && name != "thinking" && name != "request_heartbeat")
                return std::string(name.get_string());
    for (const auto& [name, property] : properties)
        if (name != "thinking" && blank_of(property).is_string()) return std::string(name);
    return {};
}

std::string without_beginning(std::string text) {
    for (const std::string_view beginning :
         {"tool ", "for ", "with ", "to find ", "to search for ", "to look for ", "about ", "on "})
        if (lowered(text).starts_with(beginning)) text = trimmed(std::string_view(text).substr(beginning.size()));
    return text;
}

// "call NAME with {...}", "use NAME for TEXT": a tool's name behind a verb that means it.
std::optional<ModelAnswer> asked_call(const ModelRequest& request, const std::string& text) {
    const std::vector<std::string> words = words_of(text);
    const auto is_verb = [](const std::string& word) { return word == "call" || word == "use" || word == "run"; };
    for (std::size_t i = 1; i < words.size(); ++i) {
        const ToolSpec* tool = find_tool(request, words[i]);
        if (tool == nullptr || std::none_of(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), is_verb))
            continue;
        if (auto arguments = object_in(text)) return call(*tool, std::move(*arguments));
        const json::object schema = schema_of(*tool);
        const auto* known = schema.if_contains("properties");
        const json::object properties = known != nullptr && known->is_object() ? known->get_object() : json::object();
        json::object arguments = pairs_in(text, properties);
        const std::string rest =
            without_beginning(trimmed(std::string_view(text).substr(lowered(text).find(words[i]) + words[i].size())));
        const std::string name = first_text_of(schema, properties);
        if (arguments.empty() && !rest.empty() && !name.empty()) arguments[name] = rest;
        return call(*tool, std::move(arguments));
    }
    // A word that can only be a tool's name, but is none.
    if (words.size() < 2 || !is_verb(words[0]) || words[1].find('_') == std::string::npos) return std::nullopt;
    std::string names;
    for (const ToolSpec& tool : request.tools) names += (names.empty() ? "" : ", ") + tool.name;
    return say(request, "I have no tool called " + words[1] + ". " +
                            (names.empty() ? "I have none at all." : "I have: " + names + "."));
}

// "search for TEXT", "search our conversation for TEXT", "search your archive for TEXT"
std::optional<ModelAnswer> asked_search(const ModelRequest& request, const std::string& text) {
    const std::string low = lowered(text);
    const ToolSpec* search = low.find(" archiv") != std::string::npos ? find_tool(request, "archival_memory_search")
                                                                      : find_tool(request, "conversation_search");
    const std::size_t verb = low.find("search ");
    if (search == nullptr || verb == std::string::npos || verb > 20) return std::nullopt;
    const std::size_t mark = low.find(" for ", verb);
    const std::string query = mark == std::string::npos ? trimmed(std::string_view(text).substr(verb + 7))
                                                        : trimmed(std::string_view(text).substr(mark + 5));
    if (query.empty()) return std::nullopt;
    return call(*search, {{"query", query}});
}

// The sentences that everybody tries.
std::string small_talk(const ModelRequest& request, const std::string& low) {
    const auto says = [&](std::initializer_list<std::string_view> texts) {
        return std::any_of(texts.begin(), texts.end(),
                           [&](std::string_view each) { return low.find(each) != std::string::npos; });
    };
    const std::string name = name_in(memory_of(request));
    if (begins_with_any(low, {"thank", "thx"})) return "You are welcome" + (name.empty() ? "." : ", " + name + ".");
    if (begins_with_any(low, {"bye", "goodbye", "good bye", "see you", "good night"}))
        return "Goodbye" + (name.empty() ? "" : ", " + name) + ". What you told me stays.";
    if (says({"what can you do", "what do you do"}) || low == "help" || low == "help!" || low == "help me")
        return std::string(introduction) + "\n" + std::string(help);
    if (says({"how are you"})) return "My rules are in order, thank you. " + std::string(help);
    if (says({"know about me", "remember about me", "told you", "what do you remember", "what do you know"}))
        return everything_of(request);
    if (says({"who are you", "what are you", "your name", "are you an ai", "are you a ", "are you real"}))
        return std::string(introduction);
    return {};
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

// What people said about it, without the question itself and what was asked of tools.
std::string found_in_search(const std::string& returned, const std::string& question) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(returned, failure);
    const json::object* object = failure ? nullptr : parsed.if_object();
    const auto* results = object == nullptr ? nullptr : object->if_contains("results");
    std::string found;
    if (results != nullptr && results->is_array()) {
        for (const json::value& each : results->get_array()) {
            const json::object* result = each.if_object();
            const auto* content = result == nullptr ? nullptr : result->if_contains("content");
            const auto* role = result == nullptr ? nullptr : result->if_contains("role");
            if (content == nullptr || !content->is_string() || role == nullptr || *role != "user") continue;
            const std::string text(content->get_string());
            const bool command = begins_with_any(
                lowered(text), {"call ", "use ", "run ", "search ", "please search ", "forget ", "please forget "});
            if (text != question && !is_question(text) && !command) found += "\n- " + text;
        }
    }
    return found.empty()
               ? "I find nothing about that, neither in my memory nor in what we said. I know only what I am told."
               : "You once told me:" + found;
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
        else if (turn.name == "conversation_search")
            text += found_in_search(message, question);
        else if (memory && begins_with_any(lowered(question), {"forget ", "please forget "}))
            text += "I have forgotten it.";
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
    if (auto answer = asked_search(request, said)) return std::move(*answer);
    const std::string low = lowered(said);
    if (begins_with_any(low, {"forget ", "please forget "}))
        return forget(request, said.substr(low.find("forget ") + 7));
    if (std::string text = small_talk(request, low); !text.empty()) return say(request, std::move(text));
    if (const std::string fact = fact_in(said); !fact.empty()) {
        if (auto answer = remember(request, fact)) return std::move(*answer);
        return say(request, "I have no memory block and tool to keep that in, but I have heard it: " + fact);
    }
    const std::vector<MemoryBlock> memory = memory_of(request);
    if (is_question(said)) {
        const std::set<std::string> asked = content_words(said);
        if (asked == std::set<std::string>{"name"})
            if (const std::string name = name_in(memory); !name.empty())
                return say(request, "Your name is " + name + ".");
        const std::string line = recall(memory, said);
        if (!line.empty()) return say(request, "I remember: " + line);
        std::string query;
        for (const std::string& word : words_of(said))
            if (!content_words(word).empty()) query += (query.empty() ? "" : " ") + word;
        const ToolSpec* search = find_tool(request, "conversation_search");
        if (search != nullptr && !query.empty()) return call(*search, {{"query", query}});
        return say(request, "I don't know that. Tell me, and I will remember it.");
    }
    const std::vector<std::string> words = words_of(said);
    if (!words.empty() && (words[0] == "hello" || words[0] == "hi" || words[0] == "hey" || words[0] == "good")) {
        const std::string name = name_in(memory);
        return say(request, "Hello" + (name.empty() ? std::string() : ", " + name) + "! " + std::string(introduction));
    }
    return say(request, "My rules don't cover that: I understand simple English sentences only. " + std::string(help));
}

}  // namespace stele::llm
