#include "runtime/parameters.hpp"

namespace stele::runtime {
namespace {

bool is_plain_text(const Json& format) { return json_member_text(format.text, "type") == "text"; }

}  // namespace

void apply(const ModelParameters& parameters, llm::ModelRequest& request) {
    if (parameters.max_output_tokens) request.max_output_tokens = parameters.max_output_tokens;
    if (parameters.temperature) request.temperature = parameters.temperature;
    if (parameters.frequency_penalty) request.frequency_penalty = parameters.frequency_penalty;
    request.top_p = parameters.top_p;
    request.presence_penalty = parameters.presence_penalty;
    request.seed = parameters.seed;
    request.stop = parameters.stop;
    if (const auto& format = parameters.response_format)
        request.response_format_json = is_plain_text(*format) ? std::string() : format->text;
}

}  // namespace stele::runtime
