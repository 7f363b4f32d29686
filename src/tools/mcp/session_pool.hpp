#pragma once

#include "tools/mcp/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <map>
#include <memory>

namespace stele::tools::mcp {

/// The idle sessions of one io_context. A session belongs to one server, as one agent reaches it (its headers), and
/// does one request at a time: who takes it has it alone. A service of the context, so it ends with it. One thread.
class SessionPool final : public boost::asio::execution_context::service {
public:
    using key_type = SessionPool;
    static boost::asio::execution_context::id id;

    explicit SessionPool(boost::asio::execution_context& context)
        : service(context), clock_(static_cast<boost::asio::io_context&>(context)) {}

    /// The pool of the thread that `executor` runs on.
    static SessionPool& of(const boost::asio::any_io_executor& executor);

    /// An idle session, or null.
    std::unique_ptr<Session> take(const std::string& wanted);

    /// Keeps `session` for the next request. Those that nobody takes for a few minutes are ended; so are the oldest
    /// when there are too many.
    void give(const std::string& of, std::unique_ptr<Session> session);

private:
    struct Idle {
        std::string key;
        std::unique_ptr<Session> session;
        std::chrono::steady_clock::time_point until;
    };

    void shutdown() noexcept override;
    void arm();
    void end_oldest();

    std::list<Idle> idle_;  ///< the longest idle first
    boost::asio::steady_timer clock_;
    bool armed_ = false, shut_ = false;
};

}  // namespace stele::tools::mcp
