#pragma once

#include "base/error.hpp"
#include "llm/batch_service.hpp"
#include "llm/model.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::llm {

/// Takes the pieces of an answer as they arrive, on the thread of the call.
class DeltaSink {
public:
    virtual ~DeltaSink() = default;
    virtual void on_delta(const Delta& delta) = 0;
};

/// A model's server behind one wire protocol. Thread-safe; a call stays on its coroutine's executor.
class Provider {
public:
    virtual ~Provider() = default;

    /// One model call. With a `sink` (which outlives the call) the answer is streamed and its deltas handed over as
    /// they arrive; either way the whole answer is returned.
    ///
    /// Throws Error{model_failed} whose `type` is the API's word: llm_authentication, llm_insufficient_credits,
    /// llm_rate_limit (with `retry_after`), llm_timeout, llm_bad_request, llm_context_overflow, llm_empty_response,
    /// llm_overloaded, llm_connection, llm_error. Retries what may be repeated (before the first delta only).
    /// Cancellation closes the connection and throws Error{cancelled}.
    virtual boost::asio::awaitable<ModelAnswer> complete(ModelRequest request, DeltaSink* sink) = 0;

    /// The body that `complete` would send for `request`.
    virtual std::string request_json(const ModelRequest& request, bool stream) const = 0;

    /// The provider's own batches, or null where it has none. Lives as long as the provider.
    virtual BatchService* batches() { return nullptr; }

    /// An answer that came by batches(), as complete would return it but for its request. Throws Error{model_failed}
    /// for what is no answer, or an empty one.
    virtual ModelAnswer read_answer(std::string_view) const {
        throw Error(ErrorCode::internal, "This provider has no batches");
    }

    /// False for what answers by rules and would not understand that it is asked for a summary.
    virtual bool can_summarise() const { return true; }
};

}  // namespace stele::llm
