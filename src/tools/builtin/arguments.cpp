#include "tools/builtin/arguments.hpp"

#include "domain/json_mapping.hpp"
#include "tools/working_memory.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

namespace json = boost::json;

// Set by the loop of agents that speak through tools, not by the tool.
constexpr std::string_view loop_arguments[] = {"request_heartbeat", "thinking", "inner_thoughts"};

template <class M>
constexpr bool required = !mapping::is_optional<M>::value && !mapping::is_patch<M>::value;

void append_property(std::string& out, const Schema& schema, const ParameterText& about) {
    Schema plain = schema;
    plain.nullable = false;
    std::string text;
    append_schema(plain, text);
    text.pop_back();
    if (*about.words_json != '\0') text += std::string(",\"enum\":") + about.words_json;
    out += text + ",\"description\":" + json_string(about.description) + "}";
}

}  // namespace

template <class T>
std::string tool_schema(const char* name, const char* description, std::initializer_list<ParameterText> texts) {
    std::string properties, required_names;
    boost::mp11::mp_for_each<mapping::members_of<T>>([&](auto member) {
        using M = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
        const auto text = std::find_if(texts.begin(), texts.end(), [&](const ParameterText& candidate) {
            return std::string_view(candidate.name) == member.name;
        });
        STELE_ASSERT(text != texts.end());
        if (!properties.empty()) properties += ',';
        properties += json_string(member.name) + ":";
        append_property(properties, mapping::schema_of_type<M>(), *text);
        if constexpr (required<M>) required_names += (required_names.empty() ? "" : ",") + json_string(member.name);
    });
    return "{\"name\":" + json_string(name) + ",\"description\":" + json_string(description) +
           ",\"parameters\":{\"type\":\"object\",\"properties\":{" + properties + "},\"required\":[" + required_names +
           "]}}";
}

template <class T>
T read_arguments(const char* tool, std::string_view arguments_json) {
    const JsonParse parsed = parse_json_value(arguments_json.empty() ? "{}" : arguments_json);
    if (!parsed.problem.empty() || !parsed.value.is_object())
        throw ToolFailure(std::string(tool) + ": the arguments are no JSON object");

    std::string names;
    std::vector<std::string> missing;
    boost::mp11::mp_for_each<mapping::members_of<T>>([&](auto member) {
        using M = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
        names += (names.empty() ? "" : ", ") + std::string(member.name);
        if (required<M> && !parsed.value.get_object().contains(member.name)) missing.emplace_back(member.name);
    });
    for (const auto& [key, value] : parsed.value.get_object()) {
        const std::string_view name = key;
        bool known = std::find(std::begin(loop_arguments), std::end(loop_arguments), name) != std::end(loop_arguments);
        boost::mp11::mp_for_each<mapping::members_of<T>>([&](auto member) { known |= name == member.name; });
        if (!known)
            throw ToolFailure(std::string(tool) + ": unknown argument '" + std::string(name) + "'; it takes: " + names);
    }
    if (!missing.empty()) throw ToolFailure(std::string(tool) + ": the argument '" + missing.front() + "' is missing");

    Problems problems(tool);
    T arguments{};
    mapping::read(parsed.value, arguments, problems);
    try {
        problems.throw_if_any();
    } catch (const Error& error) {
        throw ToolFailure(error.what());
    }
    return arguments;
}

#define STELE_ARGUMENTS(T)                                                                               \
    template std::string tool_schema<T>(const char*, const char*, std::initializer_list<ParameterText>); \
    template T read_arguments<T>(const char*, std::string_view);

STELE_ARGUMENTS(SendMessageArguments)
STELE_ARGUMENTS(ConversationSearchArguments)
STELE_ARGUMENTS(ArchivalInsertArguments)
STELE_ARGUMENTS(ArchivalSearchArguments)
STELE_ARGUMENTS(ToAgentArguments)
STELE_ARGUMENTS(ToTagsArguments)
STELE_ARGUMENTS(AppendArguments)
STELE_ARGUMENTS(CoreReplaceArguments)
STELE_ARGUMENTS(ReplaceArguments)
STELE_ARGUMENTS(InsertArguments)
STELE_ARGUMENTS(RethinkArguments)
STELE_ARGUMENTS(RethinkUserArguments)
STELE_ARGUMENTS(SearchMemoryArguments)
STELE_ARGUMENTS(StoreMemoriesArguments)
STELE_ARGUMENTS(NoArguments)
STELE_ARGUMENTS(MemoryArguments)
STELE_ARGUMENTS(PatchArguments)
STELE_ARGUMENTS(RunCodeArguments)
STELE_ARGUMENTS(CodeArguments)
STELE_ARGUMENTS(OpenFilesArguments)
STELE_ARGUMENTS(GrepFilesArguments)
STELE_ARGUMENTS(SearchFilesArguments)
STELE_ARGUMENTS(FetchArguments)
STELE_ARGUMENTS(WebSearchArguments)

}  // namespace stele::tools
