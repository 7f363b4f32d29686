#include "tools/builtin/arguments.hpp"
#include "tools/builtin/memory_edits.hpp"
#include "tools/builtin/memory_patch.hpp"
#include "tools/builtin/tables.hpp"

namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr char label_text[] = "Label of the memory block to change.";

// Where `path` of the tool `memory` points: "/memories/<label>".
std::string label_of(const std::optional<std::string>& path, const char* argument) {
    if (!path || path->empty()) throw ToolFailure(std::string("memory: the argument '") + argument + "' is missing");
    constexpr std::string_view root = "/memories/";
    std::string_view label = *path;
    if (label.starts_with(root))
        label.remove_prefix(root.size());
    else if (label.starts_with("/"))
        label.remove_prefix(1);
    if (label.empty()) throw ToolFailure("memory: the path must be /memories/<label>");
    return std::string(label);
}

std::string needed(const std::optional<std::string>& argument, const char* name) {
    if (!argument) throw ToolFailure(std::string("memory: the argument '") + name + "' is missing");
    return *argument;
}

ToolResult value_of(const WorkingMemory& memory, const std::string& label) {
    ToolResult result;
    result.value = memory.get(label).value;
    return result;
}

ToolResult sentence(std::string text) {
    ToolResult result;
    result.value = std::move(text);
    return result;
}

ToolResult replace(WorkingMemory& memory, const std::string& label, const std::string& old_string,
                   const std::string& new_string) {
    edits::refuse_line_numbers(old_string, "old_string");
    edits::refuse_line_numbers(new_string, "new_string");
    const std::string value = edits::expand_tabs(memory.editable(label).value);
    memory.set_value(label,
                     edits::replace_once(value, edits::expand_tabs(old_string), edits::expand_tabs(new_string), label));
    return value_of(memory, label);
}

ToolResult insert(WorkingMemory& memory, const std::string& label, const std::string& text, std::int64_t line,
                  const char* argument) {
    edits::refuse_line_numbers(text, argument);
    memory.set_value(label, edits::insert_lines(memory.editable(label).value, text, line));
    return value_of(memory, label);
}

awaitable<ToolResult> run_core_append(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<AppendArguments>("core_memory_append", json);
    const std::string& value = context.memory.editable(arguments.label).value;
    context.memory.set_value(arguments.label, value.empty() ? arguments.content : value + "\n" + arguments.content);
    co_return value_of(context.memory, arguments.label);
}

awaitable<ToolResult> run_core_replace(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<CoreReplaceArguments>("core_memory_replace", json);
    context.memory.set_value(arguments.label,
                             edits::replace_all(context.memory.editable(arguments.label).value, arguments.old_content,
                                                arguments.new_content, arguments.label));
    co_return value_of(context.memory, arguments.label);
}

awaitable<ToolResult> run_replace(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<ReplaceArguments>("memory_replace", json);
    co_return replace(context.memory, arguments.label, arguments.old_string, arguments.new_string);
}

awaitable<ToolResult> run_insert(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<InsertArguments>("memory_insert", json);
    co_return insert(context.memory, arguments.label, arguments.new_string, arguments.insert_line.value_or(-1),
                     "new_string");
}

awaitable<ToolResult> run_rethink(BuiltinContext& context, std::string json) {
    auto arguments = read_arguments<RethinkArguments>("memory_rethink", json);
    edits::refuse_line_numbers(arguments.new_memory, "new_memory");
    context.memory.set_value(arguments.label, std::move(arguments.new_memory));
    co_return value_of(context.memory, arguments.label);
}

awaitable<ToolResult> run_finish(BuiltinContext&, std::string json) {
    read_arguments<NoArguments>("memory_finish_edits", json);
    co_return sentence("The memory edits are finished");
}

awaitable<ToolResult> run_memory(BuiltinContext& context, std::string json) {
    const auto arguments = read_arguments<MemoryArguments>("memory", json);
    WorkingMemory& memory = context.memory;
    if (arguments.command == "create") {
        const std::string label = label_of(arguments.path, "path");
        const std::string text = arguments.file_text.value_or("");
        edits::refuse_line_numbers(text, "file_text");
        memory.create(label, needed(arguments.description, "description"), text, context.actor);
        co_return sentence("Created the memory block '" + label + "'");
    }
    if (arguments.command == "str_replace")
        co_return replace(memory, label_of(arguments.path, "path"), needed(arguments.old_string, "old_string"),
                          needed(arguments.new_string, "new_string"));
    if (arguments.command == "insert")
        co_return insert(memory, label_of(arguments.path, "path"), needed(arguments.insert_text, "insert_text"),
                         arguments.insert_line.value_or(-1), "insert_text");
    if (arguments.command == "delete") {
        const std::string label = label_of(arguments.path, "path");
        memory.remove(label);
        co_return sentence("Removed the memory block '" + label + "'");
    }
    if (arguments.command == "rename") {
        if (arguments.path && arguments.description) {
            const std::string label = label_of(arguments.path, "path");
            memory.set_description(label, *arguments.description);
            co_return sentence("Changed the description of the memory block '" + label + "'");
        }
        const std::string from = label_of(arguments.old_path, "old_path");
        const std::string to = label_of(arguments.new_path, "new_path");
        memory.rename(from, to);
        co_return sentence("Renamed the memory block '" + from + "' to '" + to + "'");
    }
    throw ToolFailure("memory: unknown command '" + arguments.command +
                      "'; it takes create, str_replace, insert, delete, rename");
}

awaitable<ToolResult> run_apply_patch(BuiltinContext& context, std::string json) {
    using Kind = edits::PatchSection::Kind;
    const auto arguments = read_arguments<PatchArguments>("memory_apply_patch", json);
    edits::refuse_line_numbers_of_patch(arguments.patch);
    WorkingMemory edited = context.memory;  // all sections or none
    const std::vector<edits::PatchSection> sections = edits::parse_sections(arguments.patch);
    if (sections.empty()) {
        edited.set_value(arguments.label, edits::apply_hunks(edited.editable(arguments.label).value, arguments.patch));
        context.memory = std::move(edited);
        co_return sentence("Applied the patch to the memory block '" + arguments.label + "'");
    }
    std::string done;
    for (const edits::PatchSection& section : sections) {
        if (section.kind == Kind::add)
            edited.create(section.label, "", section.text, context.actor);
        else if (section.kind == Kind::remove)
            edited.remove(section.label);
        else if (!section.hunks.empty())
            edited.set_value(section.label, edits::apply_hunks(edited.editable(section.label).value, section.hunks));
        if (!section.new_label.empty()) edited.rename(section.label, section.new_label);
        done += (done.empty() ? "'" : ", '") + section.label + "'";
    }
    context.memory = std::move(edited);
    co_return sentence("Applied the patch to the memory blocks " + done);
}

constexpr BuiltinTool table[] = {
    {"core_memory_append", "letta_memory_core", "Adds a line at the end of a memory block.",
     [](const char* name, const char* description) {
         return tool_schema<AppendArguments>(
             name, description, {{"label", label_text}, {"content", "Text to add, as it shall stand there."}});
     },
     false, Effect::memory, run_core_append},
    {"core_memory_replace", "letta_memory_core",
     "Replaces text in a memory block, everywhere it stands. An empty new text deletes it.",
     [](const char* name, const char* description) {
         return tool_schema<CoreReplaceArguments>(name, description,
                                                  {{"label", label_text},
                                                   {"old_content", "Text to replace; must match exactly."},
                                                   {"new_content", "Text that takes its place; empty to delete."}});
     },
     false, Effect::memory, run_core_replace},
    {"memory", "letta_memory_core",
     "Edits your memory blocks like files under /memories: create, str_replace, insert, delete, or rename one.",
     [](const char* name, const char* description) {
         return tool_schema<MemoryArguments>(
             name, description,
             {{"command", "One of: create, str_replace, insert, delete, rename."},
              {"path", "The block: /memories/<label>. For every command but a rename to a new label."},
              {"file_text", "create: the first text of the block."},
              {"description", "create: what the block is for. rename with path: the new description."},
              {"old_string", "str_replace: the text to replace; must occur exactly once."},
              {"new_string", "str_replace: the text that takes its place."},
              {"insert_line", "insert: the line after which to insert; 0 is the top, left out is the end."},
              {"insert_text", "insert: the text to insert."},
              {"old_path", "rename: the block as it is called now."},
              {"new_path", "rename: the block as it shall be called."}});
     },
     false, Effect::memory, run_memory},
    {"memory_apply_patch", "letta_memory_core",
     "Applies a unified diff to a memory block, or to several with sections '*** Add Block: <label>', '*** Delete "
     "Block: "
     "<label>', '*** Update Block: <label>' and '*** Move to: <label>'. Lines must not carry line numbers.",
     [](const char* name, const char* description) {
         return tool_schema<PatchArguments>(
             name, description,
             {{"label", "Label of the block that a patch without sections is for."},
              {"patch", "The patch: lines begin with ' ' (kept), '-' (removed), '+' (added) or '@@'."}});
     },
     false, Effect::memory, run_apply_patch},
    {"memory_replace", "letta_sleeptime_core",
     "Replaces one text in a memory block by another. The old text must occur exactly once, so send enough of its "
     "surroundings. Never send the line numbers that the prompt may show.",
     [](const char* name, const char* description) {
         return tool_schema<ReplaceArguments>(name, description,
                                              {{"label", label_text},
                                               {"old_string", "Text to replace, exactly as it stands in the block."},
                                               {"new_string", "Text that takes its place; empty to delete."}});
     },
     false, Effect::memory, run_replace},
    {"memory_insert", "letta_sleeptime_core",
     "Inserts text as new lines into a memory block, at the end unless a line is given. Never send the line numbers "
     "that "
     "the prompt may show.",
     [](const char* name, const char* description) {
         return tool_schema<InsertArguments>(
             name, description,
             {{"label", label_text},
              {"new_string", "Text to insert."},
              {"insert_line", "The line after which to insert; 0 is the top, -1 (or left out) the end."}});
     },
     false, Effect::memory, run_insert},
    {"memory_rethink", "letta_sleeptime_core",
     "Writes a memory block anew: the new text replaces all of the old one. For larger rearrangements.",
     [](const char* name, const char* description) {
         return tool_schema<RethinkArguments>(
             name, description, {{"label", label_text}, {"new_memory", "The whole new text of the block."}});
     },
     false, Effect::memory, run_rethink},
    {"memory_finish_edits", "letta_sleeptime_core", "Tells that the memory blocks are in order and ends the turn.",
     [](const char* name, const char* description) { return tool_schema<NoArguments>(name, description, {}); }, false,
     Effect::none, run_finish},
};

}  // namespace

std::span<const BuiltinTool> memory_tools() { return table; }

}  // namespace stele::tools
