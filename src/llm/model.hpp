#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What goes to a model and what comes back, in no provider's own terms (spec: the canonical form).
namespace stele::llm {

enum class Role : std::uint8_t { system, user, assistant, tool };

struct Image {
    std::string url;         ///< http(s) URL, or empty when `data` is set
    std::string media_type;  ///< "image/png"
    std::string data;        ///< base64
    std::string detail;      ///< "", "auto", "low", "high"
};

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  ///< JSON text as the model wrote it; may be no JSON at all
};

struct Turn {
    Role role = Role::user;
    std::string text;
    std::vector<Image> images;         ///< of a user turn, behind the text
    std::string reasoning;             ///< of an assistant turn; replayed only where the provider wants it
    std::string reasoning_signature;   ///< as in the answer; empty if another model wrote the turn
    std::vector<ToolCall> tool_calls;  ///< of an assistant turn
    std::string tool_call_id;          ///< of a tool turn
    std::string name;                  ///< optional author of a user turn; of a tool turn the tool
};

struct ToolSpec {
    std::string name;
    std::string description;
    std::string parameters_json;  ///< a JSON Schema object
    bool strict = false;
};

/// "auto", "none", "required", or the name of the one tool that must be called.
struct ToolChoice {
    enum class Kind : std::uint8_t { automatic, none, required, tool } kind = Kind::automatic;
    std::string tool;
};

struct ModelRequest {
    std::string model;  ///< the provider's own id, without the handle's prefix
    std::vector<Turn> turns;
    std::vector<ToolSpec> tools;
    ToolChoice tool_choice;
    bool parallel_tool_calls = false;
    std::optional<std::int64_t> max_output_tokens;
    std::optional<double> temperature;
    std::optional<double> frequency_penalty;
    std::optional<double> presence_penalty;
    std::optional<double> top_p;
    std::optional<std::int64_t> seed;
    std::vector<std::string> stop;     ///< texts before which the answer ends
    std::string reasoning_effort;      ///< "" = not sent
    std::string verbosity;             ///< "" = not sent
    std::string response_format_json;  ///< "" = not sent
    std::string user;                  ///< acting user's id, sent where the provider takes it
};

/// Token counts; absent = not reported, 0 = reported as 0. `cached_input` is part of `input`.
struct Usage {
    std::optional<std::int64_t> input, output, total, cached_input, cache_write, reasoning;
};

enum class Finish : std::uint8_t { stop, length, tool_calls, content_filter };

struct ModelAnswer {
    std::string id;
    std::string model;  ///< as the provider names what answered
    std::string text;
    std::string reasoning;
    std::string reasoning_signature;  ///< opaque, to be sent back to the model that gave it: JSON of reasoning_details
    std::vector<ToolCall> tool_calls;
    Finish finish = Finish::stop;
    std::optional<Usage> usage;  ///< absent if the provider sent none
    std::string request_json;    ///< exactly what was sent, for the step's trace; no headers, no key
    std::string response_json;   ///< the answer, or for a stream its reassembled equal
};

/// A piece of an answer while it is being written.
struct Delta {
    enum class Kind : std::uint8_t { text, reasoning, tool_call, tool_arguments } kind = Kind::text;
    std::size_t index = 0;     ///< of the tool call within the answer
    std::string text;          ///< text, reasoning, or more of the arguments
    std::string tool_call_id;  ///< of tool_call: sent once, before the call's first tool_arguments
    std::string tool_name;     ///< of tool_call
};

}  // namespace stele::llm
