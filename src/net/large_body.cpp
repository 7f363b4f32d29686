#include "net/large_body.hpp"

#include "base/error.hpp"
#include "base/worker_threads.hpp"
#include "net/body_spool.hpp"

#include <algorithm>

namespace stele::net {

using boost::asio::awaitable;

RequestReader::Limits limits_of(const ServerOptions& options) {
    RequestReader::Limits made;
    made.head_bytes_max = options.header_bytes_max;
    made.target_bytes_max = options.target_bytes_max;
    made.body_bytes_max = options.body_bytes_max;
    made.large_body_bytes_max = options.large.body_bytes_max;
    made.is_large = options.large.meant_for;
    made.large_from_bytes = std::min(LargeBodies::memory_bytes_max, options.body_bytes_max);
    return made;
}

awaitable<Refusal> spool_large_body(const LargeBodies& large, RequestReader& reader, HttpRequest& request) {
    Refusal refusal;
    const bool piece_is_full = request.body.size() >= LargeBodies::memory_bytes_max;
    const bool last_piece = request.large_body != nullptr && reader.state() == RequestReader::State::done;
    if (!piece_is_full && !last_piece) co_return refusal;
    try {
        if (request.large_body == nullptr) {
            const bool admitted = co_await large.admits(request);
            if (!admitted) {
                reader.keep_small();
                co_return refusal;
            }
            request.large_body = large.spool->open();
        }
        if (request.large_body == nullptr) {
            refusal.status = 503;
            refusal.text = "The server takes as many large bodies as it can; try again in a moment";
            co_return refusal;
        }
        std::function<bool()> append = [into = request.large_body, piece = std::move(request.body)] {
            into->append(piece);
            return true;
        };
        request.body.clear();
        co_await large.workers->run(std::move(append));
    } catch (const Error& failure) {
        refusal.status = 503;
        refusal.text = failure.what();
    }
    co_return refusal;
}

std::uint64_t body_bytes(const HttpRequest& request) {
    return request.body.size() + (request.large_body == nullptr ? 0 : request.large_body->size());
}

std::chrono::milliseconds body_patience(const ServerOptions& options, const HttpRequest& request,
                                        std::chrono::steady_clock::time_point began) {
    constexpr std::size_t bytes_per_second_min = 512;  // a byte now and then is no progress
    const auto all = options.body_timeout + std::chrono::seconds(body_bytes(request) / bytes_per_second_min);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(began + all - std::chrono::steady_clock::now());
    return std::clamp(left, std::chrono::milliseconds(0), options.body_timeout);
}

}  // namespace stele::net
