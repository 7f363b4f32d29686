// The tools with which agents look into the files of their folders.
#include "tools/builtin/arguments.hpp"
#include "tools/builtin/tables.hpp"
#include "tools/file_shelf.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t context_lines_max = 100, passages_default = 5, passages_max = 50;
constexpr std::size_t passage_lines_max = 20, rule_width = 80;

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

std::string told(const OpenedFiles::File& file) {
    std::string text = file.name + " (" + file.now;
    if (!file.before.empty() && file.before != file.now) text += ", previously " + file.before;
    return text + ")";
}

awaitable<ToolResult> run_open(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<OpenFilesArguments>("open_files", json);
    std::vector<FileRequest> requests;
    for (FileRequestArgument& each : arguments.file_requests) {
        FileRequest request;
        request.file_name = std::move(each.file_name);
        request.offset = each.offset;
        request.length = each.length;
        requests.push_back(std::move(request));
    }
    const OpenedFiles opened =
        co_await context.files.open(std::move(requests), arguments.close_all_others.value_or(false));
    ToolResult result;
    if (opened.files.size() == 1) {
        result.value = "Opened " + told(opened.files.front());
    } else {
        result.value = "Opened " + std::to_string(opened.files.size()) + " files:";
        for (const OpenedFiles::File& file : opened.files) result.value += "\n  - " + told(file);
    }
    if (!opened.closed_as_asked.empty())
        result.value += "\nClosed because of close_all_others: " + joined(opened.closed_as_asked);
    if (!opened.closed_for_room.empty())
        result.value += "\nClosed, least recently looked at first, because of the limit of open files: " +
                        joined(opened.closed_for_room);
    co_return result;
}

void append_hit(std::string& out, const GrepResult::Hit& hit) {
    out += "=== " + hit.file_name + ":" + std::to_string(hit.line) + " ===\n";
    for (const GrepResult::Line& line : hit.lines)
        out += (line.number == hit.line ? "> " : "  ") + std::to_string(line.number) + ": " + line.text + "\n";
    out += "\n";
}

std::string told(const GrepResult& found, const GrepRequest& asked) {
    if (found.files_attached == 0) return "No files are currently attached to you";
    std::string skipped;
    if (!found.skipped.empty()) skipped = "\nNot searched, since they are too large: " + joined(found.skipped);
    const std::string late = found.timed_out ? "\nThe search was stopped since it took too long." : "";
    if (found.total == 0) return "No matches found for pattern: " + asked.pattern + skipped + late;
    const std::string total = std::to_string(found.total) + (found.capped ? "+" : "");
    std::string out = "Found " + total + " total matches across " + std::to_string(found.files.size()) + " files";
    const std::size_t last = asked.offset + found.hits.size();
    if (found.hits.empty())
        out += " (none from match " + std::to_string(asked.offset + 1) + " on)";
    else if (found.hits.size() < found.total)
        out +=
            " (showing matches " + std::to_string(asked.offset + 1) + "-" + std::to_string(last) + " of " + total + ")";
    out += "\n" + std::string(rule_width, '=') + "\n";
    if (found.capped) out += "There are more matches than are counted: make the pattern narrower.\n";
    out += "Files with matches:\n";
    for (const auto& [name, count] : found.files) out += "  - " + name + ": " + std::to_string(count) + " matches\n";
    out += "\n";
    for (const GrepResult::Hit& hit : found.hits) append_hit(out, hit);
    if (last < found.total)
        out += "More matches: call grep_files again with the same pattern and offset=" + std::to_string(last);
    else
        out += "No more matches.";
    return out + skipped + late;
}

awaitable<ToolResult> run_grep(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<GrepFilesArguments>("grep_files", json);
    GrepRequest request;
    request.pattern = std::move(arguments.pattern);
    request.include = arguments.include.value_or("");
    request.context_lines =
        static_cast<std::size_t>(std::clamp<std::int64_t>(arguments.context_lines.value_or(1), 0, context_lines_max));
    if (arguments.offset.value_or(0) < 0) throw ToolFailure("grep_files: offset must be 0 or more");
    request.offset = static_cast<std::size_t>(arguments.offset.value_or(0));
    GrepRequest wanted = request;
    const GrepResult found = co_await context.files.grep(std::move(wanted));
    ToolResult result;
    result.value = told(found, request);
    co_return result;
}

void append_piece(std::string& out, const FoundPiece& piece, std::size_t number) {
    out += "=== " + piece.file_name + " (passage #" + std::to_string(number) + ")";
    if (piece.first > 0)
        out += std::string(" (lines ") + std::to_string(piece.first) + "-" + std::to_string(piece.last) + ")";
    out += " ===\n";
    std::size_t lines = 0, left = 0;
    for (std::size_t begin = 0; begin <= piece.text.size();) {
        const std::size_t end = std::min(piece.text.find('\n', begin), piece.text.size());
        if (lines < passage_lines_max) {
            out += "  " + piece.text.substr(begin, end - begin) + "\n";
            ++lines;
        } else {
            ++left;
        }
        begin = end + 1;
    }
    if (left > 0) out += "  ... [truncated " + std::to_string(left) + " more lines]\n";
    out += "\n";
}

awaitable<ToolResult> run_search(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<SearchFilesArguments>("semantic_search_files", json);
    if (arguments.query.find_first_not_of(" \t\r\n") == std::string::npos)
        throw ToolFailure("semantic_search_files: the query is empty");
    if (arguments.limit.value_or(passages_default) < 1)
        throw ToolFailure("semantic_search_files: limit must be 1 or more");
    const auto limit = static_cast<std::size_t>(std::min(arguments.limit.value_or(passages_default), passages_max));
    std::string query = arguments.query;
    const FoundPieces found = co_await context.files.search(std::move(query), limit);
    ToolResult result;
    if (found.files_attached == 0) {
        result.value = "No files are currently attached to you";
        co_return result;
    }
    if (found.pieces.empty()) {
        result.value = "No semantic matches found in your files for query: '" + arguments.query + "'";
        co_return result;
    }
    std::vector<std::string> names;
    for (const FoundPiece& piece : found.pieces)
        if (std::find(names.begin(), names.end(), piece.file_name) == names.end()) names.push_back(piece.file_name);
    result.value = "Found " + std::to_string(found.pieces.size()) + " semantic matches in " +
                   std::to_string(names.size()) + " file(s) for query: '" + arguments.query + "'\n" +
                   std::string(rule_width, '=') + "\n";
    for (const std::string& name : names) {
        std::size_t number = 0;
        for (const FoundPiece& piece : found.pieces)
            if (piece.file_name == name) append_piece(result.value, piece, ++number);
    }
    while (result.value.ends_with('\n')) result.value.pop_back();
    co_return result;
}

constexpr BuiltinTool table[] = {
    {"open_files", "letta_files_core",
     "Opens files of your folders, or parts of them, so that they stand in your context from your next step on.\n\n"
     "A file is named as your context names it, with its folder: 'reports/q1.txt'. Without offset a file is shown from "
     "its start, as far as the limit of characters allows; with an offset from there, and with a length no more than "
     "so "
     "many lines. Opening a file that is open already shows the part that you ask for now.\n\n"
     "Only so many files can be open. When there is no room, those are closed that you have not looked at for "
     "longest.\n\n"
     "Example:\n"
     "  open_files(file_requests=[{\"file_name\": \"reports/q1.txt\", \"offset\": 49, \"length\": 5}])\n"
     "  shows the lines 50 to 54.",
     [](const char* name, const char* description) {
         return tool_schema<OpenFilesArguments>(
             name, description,
             {{"file_requests",
               "The files to open, each with file_name, and if only a part is wanted:\n"
               "  offset: how many lines to leave out at the start (0 begins with line 1),\n"
               "  length: how many lines to show; left out: all up to the end."},
              {"close_all_others", "Close every file that is not named here. Default: false."}});
     },
     false, Effect::none, run_open},
    {"grep_files", "letta_files_core",
     "Searches all your files, open or closed, for a regular expression, line by line, whatever the case of "
     "letters.\n\n"
     "Up to 20 matches are shown at once, with the lines around them and the numbers by which open_files knows them. "
     "The "
     "answer says how many there are in all, in which files, and with which offset to call for the next ones.\n\n"
     "Example:\n"
     "  grep_files(pattern=\"error|warning\", include=\"*.log\", context_lines=2)",
     [](const char* name, const char* description) {
         return tool_schema<GrepFilesArguments>(
             name, description,
             {{"pattern",
               "The regular expression (RE2), up to 1000 characters.\nLook-around and references back are not "
               "supported."},
              {"include",
               "Only files whose name fits: a pattern with * such as '*.md' or 'reports/*',\nor a regular expression."},
              {"context_lines", "Lines to show before and after each match. Default: 1."},
              {"offset", "How many matches to leave out, for the next page. Default: 0."}});
     },
     true, Effect::none, run_grep},
    {"semantic_search_files", "letta_files_core",
     "Finds the passages of your files, open or closed, that have most to do with a question, by their meaning and by "
     "their words.\n\n"
     "Each passage comes with the name of its file and the lines at which open_files shows it in full. For an exact "
     "word "
     "or a pattern use grep_files.",
     [](const char* name, const char* description) {
         return tool_schema<SearchFilesArguments>(name, description,
                                                  {{"query", "What you want to know, in plain words."},
                                                   {"limit", "Most passages to show, 1 to 50. Default: 5."}});
     },
     true, Effect::none, run_search},
};

}  // namespace

std::span<const BuiltinTool> file_tools() { return table; }

}  // namespace stele::tools
