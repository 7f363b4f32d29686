#include "domain/capture.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {

void check(const CaptureMessagesRequest& request, Problems& problems) {
    if (request.provider.empty()) problems.add("provider", "must not be empty", "string_too_short");
    if (request.model.empty()) problems.add("model", "must not be empty", "string_too_short");
    for (std::size_t i = 0; i < request.request_messages.size(); ++i)
        if (!request.request_messages[i].text.starts_with('{'))
            problems.add("request_messages." + std::to_string(i), "must be a message", "dict_type");
    if (!request.response_dict.text.starts_with('{')) problems.add("response_dict", "must be an object", "dict_type");
    if (request.conversation_id.has_value() && *request.conversation_id != "default" &&
        !is_id(*request.conversation_id, "conv"))
        problems.add("conversation_id", "must match 'conv-{uuid4}'", "string_pattern_mismatch");
}

STELE_JSON_READ(CaptureMessagesRequest)
STELE_JSON_WRITTEN(CapturedMessages)

}  // namespace stele
