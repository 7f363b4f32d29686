#pragma once

#include "domain/conversation_calls.hpp"
#include "llm/catalogue.hpp"

namespace stele::runtime {

/// A summary of the messages that `request` brings, as its prompt asks for it. `handle`: of the model that writes it;
/// one that answers by rules has the notes taken out of the messages themselves. `catalogue` outlives the call.
/// Throws Error{not_found} for an unknown model, Error{model_failed} for whatever goes wrong at its provider.
boost::asio::awaitable<GivenSummary> summarize_given(llm::Catalogue& catalogue, std::string organization_id,
                                                     std::string user_id, std::string handle, SummarizeRequest request);

}  // namespace stele::runtime
