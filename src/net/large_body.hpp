#pragma once

#include "net/answer_rules.hpp"
#include "net/request_reader.hpp"

#include <chrono>

// Inside net/ alone: bodies that are too large for memory, as a connection reads them.
namespace stele::net {

RequestReader::Limits limits_of(const ServerOptions& options);

/// Puts what has come of a large body into its file, a piece at a time; `reader` and `request` outlive it. Where the
/// sender may not, the body becomes a usual one. The answer: why the request can't be taken, if so.
boost::asio::awaitable<Refusal> spool_large_body(const LargeBodies& large, RequestReader& reader, HttpRequest& request);

/// What has come of it so far, wherever it lies.
std::uint64_t body_bytes(const HttpRequest& request);

/// The silence that a body that began then may have now, within the time that all of it may take.
std::chrono::milliseconds body_patience(const ServerOptions& options, const HttpRequest& request,
                                        std::chrono::steady_clock::time_point began);

}  // namespace stele::net
