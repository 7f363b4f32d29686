#pragma once

#include "tools/mcp/exchange.hpp"
#include "tools/mcp/launch.hpp"
#include "tools/mcp/session.hpp"
#include "tools/sandbox/doorway.hpp"

namespace stele::tools::mcp {

/// A server that is a command: one JSON message a line on its standard input and output. What it writes to standard
/// error is not read, what is no message on standard output skipped. It is killed with its group when this is
/// destroyed.
class StdioSession final : public Session {
public:
    /// Throws Error{unavailable} if the command can't be started.
    StdioSession(const boost::asio::any_io_executor& executor, Launch launch);
    ~StdioSession() override;

    /// Finds out what it speaks and begins. `known` as in negotiation.hpp. Throws as request does.
    boost::asio::awaitable<void> begin(std::optional<Era> known, Patience patience);

    boost::asio::awaitable<RpcAnswer> request(std::string method, boost::json::object params, Patience patience,
                                              TextMap headers) override;
    Era era() const override { return era_; }

    /// Closes its input, and ends it the harder the longer it stays.
    void leave(const boost::asio::any_io_executor& executor) override;

private:
    struct Waiting;

    boost::asio::awaitable<Heard> heard(std::string method, boost::json::object params, Patience patience);
    boost::asio::awaitable<RpcAnswer> exchange(std::int64_t id, std::string method, boost::json::object params,
                                               Patience patience);
    boost::asio::awaitable<std::string> next_line(Waiting& waiting);
    Error ended() const;
    boost::asio::awaitable<void> write(std::string text, std::chrono::milliseconds patience);

    std::shared_ptr<ControlGroup> group_;  ///< null: there is none
    std::unique_ptr<Doorway> doorway_;     ///< null: there is no way out
    std::unique_ptr<PipedChild> process_;
    std::string read_;  ///< that holds no whole line yet
    Era era_ = Era::legacy;
    std::int64_t last_id_ = 0;
};

}  // namespace stele::tools::mcp
