#pragma once

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace stele::llm {

/// Requests that a provider answers at its leisure, within a day and for less. Thread-safe; every call throws
/// Error{model_failed} as Provider::complete does, of which llm_bad_request, llm_authentication and
/// llm_insufficient_credits are final.
class BatchService {
public:
    struct Request {
        std::string name;  ///< unique within its batch
        std::string body;  ///< Provider::request_json, not streamed
    };

    struct Answer {
        std::string name;
        std::string body;  ///< for Provider::read_answer
    };

    virtual ~BatchService() = default;

    /// What one batch may hold.
    virtual std::size_t requests_max() const = 0;
    virtual std::size_t bytes_max() const = 0;

    /// Hands the requests over, all for one model, and returns the provider's id of the batch. `name` is ours.
    virtual boost::asio::awaitable<std::string> submit(std::string name, std::vector<Request> requests) = 0;

    /// The provider's id of a batch that was handed over under this name lately, though nobody heard of it.
    virtual boost::asio::awaitable<std::optional<std::string>> find(std::string name) = 0;

    /// The answers of a batch that has ended, however it did: of requests that failed there are none. Nothing while it
    /// is at work.
    virtual boost::asio::awaitable<std::optional<std::vector<Answer>>> collect(std::string id) = 0;

    /// Asks the provider to stop working on it.
    virtual boost::asio::awaitable<void> cancel(std::string id) = 0;
};

}  // namespace stele::llm
