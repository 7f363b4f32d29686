#pragma once

namespace stele::llm {

/// Where a server that speaks the chat-completions protocol differs from OpenAI's own.
struct Quirks {
    bool max_tokens_name = false;     ///< takes max_tokens, not max_completion_tokens
    bool no_forced_tool = false;      ///< refuses tool_choice with the name of one tool
    bool no_required_tool = false;    ///< refuses tool_choice "required" too
    bool no_user = false;             ///< refuses the field user
    bool no_parallel_switch = false;  ///< refuses parallel_tool_calls
    bool reasoning_back = false;      ///< demands the reasoning_content of answers that called tools
    bool official_openai = false;     ///< api.openai.com: reasoning models there want other parameters
};

}  // namespace stele::llm
