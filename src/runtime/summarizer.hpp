#pragma once

#include "domain/message.hpp"
#include "domain/model_config.hpp"
#include "llm/catalogue.hpp"
#include "runtime/model_turns.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace stele::runtime {

/// What is to be summarised, and by whom.
struct SummaryTask {
    std::vector<Message> context;  ///< up to and with the last message that goes, the system message first
    CompactionSettings settings;
    llm::ResolvedModel own_model;  ///< the agent's
    std::string own_handle;
    TurnOptions turns;  ///< of the agent's requests
    std::string organization_id, user_id;
};

struct Summary {
    std::string text;                   ///< never empty, at most the settings' clip_chars
    std::string written_by;             ///< a model's handle, or "extract" when no model could be had
    std::vector<std::string> failures;  ///< one line for each attempt that led to nothing
};

/// The notes that take the place of the messages behind the system message. The model of the settings is asked first,
/// then the agent's own; a text too long for one is shortened and tried again; and when no model is there, answers in
/// time or says anything, the notes are extracted from the messages themselves. So this never fails, save by
/// cancellation. `catalogue` outlives the call.
boost::asio::awaitable<Summary> summarize(llm::Catalogue& catalogue, SummaryTask task);

}  // namespace stele::runtime
