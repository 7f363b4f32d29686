#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <initializer_list>

/// The arguments of the built-in tools, described once: the schema that the model sees and the reading of what it
/// writes both come from here.
namespace stele::tools {

struct SendMessageArguments {
    std::string message;
};
BOOST_DESCRIBE_STRUCT(SendMessageArguments, (), (message))

struct ConversationSearchArguments {
    std::optional<std::string> query;
    std::optional<std::vector<std::string>> roles;
    std::optional<std::int64_t> limit;
    std::optional<std::string> start_date;
    std::optional<std::string> end_date;
};
BOOST_DESCRIBE_STRUCT(ConversationSearchArguments, (), (query, roles, limit, start_date, end_date))

struct ArchivalInsertArguments {
    std::string content;
    std::optional<std::vector<std::string>> tags;
};
BOOST_DESCRIBE_STRUCT(ArchivalInsertArguments, (), (content, tags))

struct ArchivalSearchArguments {
    std::string query;
    std::optional<std::vector<std::string>> tags;
    std::optional<std::string> tag_match_mode;
    std::optional<std::int64_t> top_k;
    std::optional<std::string> start_datetime;
    std::optional<std::string> end_datetime;
};
BOOST_DESCRIBE_STRUCT(ArchivalSearchArguments, (), (query, tags, tag_match_mode, top_k, start_datetime, end_datetime))

struct ToAgentArguments {
    std::string message;
    std::string other_agent_id;
};
BOOST_DESCRIBE_STRUCT(ToAgentArguments, (), (message, other_agent_id))

struct ToTagsArguments {
    std::string message;
    std::vector<std::string> match_all;
    std::vector<std::string> match_some;
};
BOOST_DESCRIBE_STRUCT(ToTagsArguments, (), (message, match_all, match_some))

struct AppendArguments {
    std::string label;
    std::string content;
};
BOOST_DESCRIBE_STRUCT(AppendArguments, (), (label, content))

struct CoreReplaceArguments {
    std::string label;
    std::string old_content;
    std::string new_content;
};
BOOST_DESCRIBE_STRUCT(CoreReplaceArguments, (), (label, old_content, new_content))

struct ReplaceArguments {
    std::string label;
    std::string old_string;
    std::string new_string;
};
BOOST_DESCRIBE_STRUCT(ReplaceArguments, (), (label, old_string, new_string))

struct InsertArguments {
    std::string label;
    std::string new_string;
    std::optional<std::int64_t> insert_line;
};
BOOST_DESCRIBE_STRUCT(InsertArguments, (), (label, new_string, insert_line))

struct RethinkArguments {
    std::string label;
    std::string new_memory;
};
BOOST_DESCRIBE_STRUCT(RethinkArguments, (), (label, new_memory))

struct RethinkUserArguments {
    std::string new_memory;
};
BOOST_DESCRIBE_STRUCT(RethinkUserArguments, (), (new_memory))

struct SearchMemoryArguments {
    std::optional<std::vector<std::string>> convo_keyword_queries;
    std::optional<std::int64_t> start_minutes_ago;
    std::optional<std::int64_t> end_minutes_ago;
};
BOOST_DESCRIBE_STRUCT(SearchMemoryArguments, (), (convo_keyword_queries, start_minutes_ago, end_minutes_ago))

/// A range of the lines that a partner was shown, both ends included.
struct TranscriptRange {
    std::int64_t start_index = 0;
    std::int64_t end_index = 0;
    std::string context;
};
BOOST_DESCRIBE_STRUCT(TranscriptRange, (), (start_index, end_index, context))

struct StoreMemoriesArguments {
    std::vector<TranscriptRange> chunks;
};
BOOST_DESCRIBE_STRUCT(StoreMemoriesArguments, (), (chunks))

struct NoArguments {};
BOOST_DESCRIBE_STRUCT(NoArguments, (), ())

struct MemoryArguments {
    std::string command;
    std::optional<std::string> path;
    std::optional<std::string> file_text;
    std::optional<std::string> description;
    std::optional<std::string> old_string;
    std::optional<std::string> new_string;
    std::optional<std::int64_t> insert_line;
    std::optional<std::string> insert_text;
    std::optional<std::string> old_path;
    std::optional<std::string> new_path;
};
BOOST_DESCRIBE_STRUCT(MemoryArguments, (),
                      (command, path, file_text, description, old_string, new_string, insert_line, insert_text,
                       old_path, new_path))

struct PatchArguments {
    std::string label;
    std::string patch;
};
BOOST_DESCRIBE_STRUCT(PatchArguments, (), (label, patch))

enum class CodeLanguage : std::uint8_t { python, js, ts, r, java };
BOOST_DESCRIBE_ENUM(CodeLanguage, python, js, ts, r, java)

struct RunCodeArguments {
    std::string code;
    CodeLanguage language = CodeLanguage::python;
};
BOOST_DESCRIBE_STRUCT(RunCodeArguments, (), (code, language))

struct CodeArguments {
    std::string code;
};
BOOST_DESCRIBE_STRUCT(CodeArguments, (), (code))

struct FileRequestArgument {
    std::string file_name;
    std::optional<std::int64_t> offset;
    std::optional<std::int64_t> length;
};
BOOST_DESCRIBE_STRUCT(FileRequestArgument, (), (file_name, offset, length))
constexpr std::array<std::string_view, 1> required_members(const FileRequestArgument*) { return {"file_name"}; }

struct OpenFilesArguments {
    std::vector<FileRequestArgument> file_requests;
    std::optional<bool> close_all_others;
};
BOOST_DESCRIBE_STRUCT(OpenFilesArguments, (), (file_requests, close_all_others))

struct GrepFilesArguments {
    std::string pattern;
    std::optional<std::string> include;
    std::optional<std::int64_t> context_lines;
    std::optional<std::int64_t> offset;
};
BOOST_DESCRIBE_STRUCT(GrepFilesArguments, (), (pattern, include, context_lines, offset))

struct SearchFilesArguments {
    std::string query;
    std::optional<std::int64_t> limit;
};
BOOST_DESCRIBE_STRUCT(SearchFilesArguments, (), (query, limit))

struct FetchArguments {
    std::string url;
};
BOOST_DESCRIBE_STRUCT(FetchArguments, (), (url))

struct WebSearchArguments {
    std::string query;
    std::optional<std::int64_t> num_results;
    std::optional<std::string> category;
    std::optional<bool> include_text;
    std::optional<std::vector<std::string>> include_domains;
    std::optional<std::vector<std::string>> exclude_domains;
    std::optional<std::string> start_published_date;
    std::optional<std::string> end_published_date;
    std::optional<std::string> user_location;
};
BOOST_DESCRIBE_STRUCT(WebSearchArguments, (),
                      (query, num_results, category, include_text, include_domains, exclude_domains,
                       start_published_date, end_published_date, user_location))

/// A parameter's text for the model.
struct ParameterText {
    const char* name;
    const char* description;
    const char* words_json = "";  ///< of a text that must be one of these: a JSON list
};

/// {"name","description","parameters"} for a tool that takes `T`; members that are no optional are required.
template <class T>
std::string tool_schema(const char* name, const char* description, std::initializer_list<ParameterText> texts);

/// Reads a model's arguments. Throws ToolFailure that names what is missing, wrong or unknown and what the tool takes.
template <class T>
T read_arguments(const char* tool, std::string_view arguments_json);

}  // namespace stele::tools
