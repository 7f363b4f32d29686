#pragma once

#include "domain/json.hpp"
#include "domain/model_parameters.hpp"

#include <boost/describe/class.hpp>

/// What a chat-completions request asks of the model (OpenAI's API reference, "Create chat completion", 2025-06).
namespace stele {

/// A text, or up to four: the answer ends before the first of them.
struct ChatStop {
    std::vector<std::string> texts;
};
void read_json(const boost::json::value& from, ChatStop& into, Problems& problems);
Schema json_schema(const ChatStop*);

struct ChatParameters {
    Patch<double> temperature;                  ///< 0 to 2
    Patch<double> top_p;                        ///< 0 to 1
    Patch<double> frequency_penalty;            ///< -2 to 2
    Patch<double> presence_penalty;             ///< -2 to 2
    Patch<std::int64_t> max_tokens;             ///< the older name of the next one, which has precedence
    Patch<std::int64_t> max_completion_tokens;  ///< at least 1
    Patch<std::int64_t> seed;
    Patch<ChatStop> stop;
    Patch<Json> response_format;  ///< {"type": "text" | "json_object" | "json_schema", "json_schema": {...}}
};
BOOST_DESCRIBE_STRUCT(ChatParameters, (),
                      (temperature, top_p, frequency_penalty, presence_penalty, max_tokens, max_completion_tokens, seed,
                       stop, response_format))
void check(const ChatParameters& parameters, Problems& problems);

/// The same in no API's own terms.
ModelParameters model_parameters(const ChatParameters& from);

/// True if all that `error` names are such parameters.
bool is_about_parameters(const Error& error);

}  // namespace stele
