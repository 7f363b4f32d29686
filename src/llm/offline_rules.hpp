#pragma once

#include "llm/model.hpp"

namespace stele::llm {

/// What the offline model answers. Pure. In this order:
///   - after a tool's return it tells what came back, and never calls again in the same turn;
///   - lines "@call NAME {json}" call tools, "@say TEXT" says TEXT (for tests and demonstrations);
///   - "call NAME with {json}", "use NAME ..." call a tool that is offered;
///   - what one tells of oneself ("my name is ...", "I like ...", "remember that ...") goes into memory, if there is a
///   tool;
///   - a question is answered from the memory blocks in the system prompt, else searched for with conversation_search;
///   - a greeting is answered; anything else gets an honest word about what it is.
/// Where send_message is offered and a call is demanded, it speaks through that.
ModelAnswer offline_answer(const ModelRequest& request);

}  // namespace stele::llm
