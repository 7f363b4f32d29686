#include "tools/mcp/stdio_session.hpp"

#include "net/within.hpp"
#include "tools/mcp/http_session.hpp"
#include "tools/sandbox/control_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto probe_patience = std::chrono::milliseconds(1'500);
constexpr auto write_patience = std::chrono::milliseconds(5'000);
constexpr auto leaving_patience = std::chrono::milliseconds(2'000);
constexpr std::size_t read_bytes = 16u << 10;

Error too_late() { return Error(ErrorCode::timed_out, "The MCP server did not answer in time"); }

std::chrono::milliseconds until_now(Clock::time_point until) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
}

// Standard error is read to its end, lest the server waits for someone to do so, and forgotten: it may hold anything.
awaitable<void> drain(asio::posix::stream_descriptor from) {
    std::vector<char> buffer(read_bytes);
    for (;;) {
        const auto [failure, bytes] = co_await from.async_read_some(asio::buffer(buffer), use_tuple);
        if (failure) co_return;
    }
}

awaitable<bool> write_line(asio::posix::stream_descriptor& to, std::string line) {
    line += '\n';
    const auto [failure, bytes] = co_await asio::async_write(to, asio::buffer(line), use_tuple);
    co_return !failure;
}

awaitable<int> wait_for_end(Child& child) { co_return co_await child.wait(); }

awaitable<bool> ends_within(Child& child, std::chrono::milliseconds patience) {
    try {
        co_await net::within(patience, wait_for_end(child));
        co_return true;
    } catch (const Error& error) {
        if (error.code != ErrorCode::timed_out) throw;
    }
    co_return false;
}

// `last`: a message that it is still sent, if it takes it. The group ends what is in it, so it stays until then.
awaitable<void> end(std::unique_ptr<PipedChild> process, std::string last,
                    [[maybe_unused]] std::shared_ptr<ControlGroup> group) {
    try {
        if (!last.empty()) co_await net::within(leaving_patience, write_line(process->in, last));
        boost::system::error_code ignored;
        process->in.close(ignored);
        if (co_await ends_within(*process->child, leaving_patience)) co_return;
        process->child->terminate();
        co_await ends_within(*process->child, leaving_patience);
    } catch (const std::exception&) {
        // It is killed below, with whatever is left of it.
    }
}

}  // namespace

struct StdioSession::Waiting {
    Clock::time_point until, silent_until;
    std::size_t bytes_left = 0;
};

StdioSession::StdioSession(const asio::any_io_executor& executor, Launch launch) : group_(std::move(launch.group)) {
    if (launch.ours) {
        net::EgressRules rules;
        if (!launch.egress_private) rules.allows = net::is_public;
        doorway_ = std::make_unique<Doorway>(executor, std::move(launch.ours), std::move(rules));
    }
    process_ = std::make_unique<PipedChild>(executor, std::move(launch.command));
    asio::co_spawn(executor, drain(std::move(process_->err)), asio::detached);
}

StdioSession::~StdioSession() = default;

void StdioSession::leave(const asio::any_io_executor& executor) {
    if (process_) asio::co_spawn(executor, end(std::move(process_), {}, group_), asio::detached);
}

Error StdioSession::ended() const {
    if (group_ && group_->ended_for_memory() > 0)
        return Error(ErrorCode::unavailable, "The MCP server's process has ended: it ran out of memory");
    return Error(ErrorCode::unavailable, "The MCP server's process has ended");
}

awaitable<void> StdioSession::write(std::string text, std::chrono::milliseconds patience) {
    const bool written = co_await net::within(patience, write_line(process_->in, std::move(text)));
    if (!written) throw ended();
}

awaitable<std::string> StdioSession::next_line(Waiting& waiting) {
    const auto work = [](asio::posix::stream_descriptor& from, std::string& into) -> awaitable<bool> {
        const std::size_t before = into.size();
        into.resize(before + read_bytes);
        const auto [failure, bytes] =
            co_await from.async_read_some(asio::buffer(into.data() + before, read_bytes), use_tuple);
        into.resize(before + bytes);
        co_return !failure;
    };
    std::size_t searched = 0;
    for (;;) {
        const std::size_t end_of_line = read_.find('\n', searched);
        if (end_of_line != std::string::npos) {
            std::string line = read_.substr(0, end_of_line);
            read_.erase(0, end_of_line + 1);
            co_return line;
        }
        searched = read_.size();
        const auto left = until_now(std::min(waiting.until, waiting.silent_until));
        if (left <= std::chrono::milliseconds(0)) throw too_late();
        const bool alive = co_await net::within(left, work(process_->out, read_));
        if (!alive) throw ended();
        const std::size_t more = read_.size() - searched;
        if (more > waiting.bytes_left) throw Error(ErrorCode::unavailable, "The MCP server's answer is too large");
        waiting.bytes_left -= more;
    }
}

awaitable<RpcAnswer> StdioSession::exchange(std::int64_t id, std::string method, json::object params,
                                            Patience patience) {
    if (era_ == Era::modern) params = with_modern_meta(std::move(params));
    Waiting waiting;
    waiting.until = Clock::now() + patience.total;
    waiting.silent_until = Clock::now() + patience.silence;
    waiting.bytes_left = patience.bytes_max;
    co_await write(request_text(id, method, params), std::min(patience.total, write_patience));
    Exchange exchange;
    exchange.id = id;
    for (;;) {
        const std::string line = co_await next_line(waiting);
        const auto messages = parse_messages(line);
        if (!messages) continue;  // servers that print are forgiven
        for (const RpcMessage& message : *messages) {
            Reaction reaction = next(exchange, message);
            if (exchange.tools_changed) tools_changed_ = true;
            if (auto answer = ending(reaction)) co_return std::move(*answer);
            if (std::holds_alternative<Progressed>(reaction)) waiting.silent_until = Clock::now() + patience.silence;
            if (auto* reply = std::get_if<Reply>(&reaction)) co_await write(std::move(reply->text), write_patience);
        }
    }
}

awaitable<Heard> StdioSession::heard(std::string method, json::object params, Patience patience) {
    Heard heard;
    try {
        RpcAnswer answer = co_await exchange(++last_id_, std::move(method), std::move(params), patience);
        heard.result = std::move(answer.result);
        if (!heard.result) heard.error = std::move(answer.error);
        co_return heard;
    } catch (const Error& error) {
        if (error.code != ErrorCode::timed_out) throw;
    }
    heard.status = 0;
    co_return heard;
}

awaitable<void> StdioSession::begin(std::optional<Era> known, Patience patience) {
    const auto until = Clock::now() + patience.total;
    Negotiation negotiation;
    Decision decision = first_move(negotiation, false, known);
    for (;;) {
        patience.total = patience.silence = std::max(until_now(until), std::chrono::milliseconds(1));
        Heard answer;
        switch (decision.move) {
            case Move::probe:
                patience.total = patience.silence = std::min(patience.total, probe_patience);
                era_ = Era::modern;
                answer = co_await heard("server/discover", {}, patience);
                era_ = Era::legacy;
                break;
            case Move::initialize:
                answer = co_await heard("initialize", initialize_params(negotiation.version), patience);
                break;
            case Move::use_modern:
                era_ = Era::modern;
                co_return;
            case Move::use_legacy:
                co_await write(notification_text("notifications/initialized", {}), write_patience);
                co_return;
            default:
                throw Error(ErrorCode::unavailable, "No session with the MCP server: " + decision.why);
        }
        decision = next(negotiation, answer);
    }
}

awaitable<RpcAnswer> StdioSession::request(std::string method, json::object params, Patience patience, TextMap) {
    const auto executor = co_await asio::this_coro::executor;
    const std::int64_t id = ++last_id_;
    // The session is over with it: what it may still do it is told not to, and then it is ended.
    const auto take_back = [&](const char* why) {
        const json::object taken{{"requestId", id}, {"reason", why}};
        asio::co_spawn(executor, end(std::move(process_), notification_text("notifications/cancelled", taken), group_),
                       asio::detached);
    };
    try {
        RpcAnswer answer = co_await exchange(id, std::move(method), std::move(params), patience);
        co_return answer;
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) take_back("the run was cancelled");
        if (error.code == ErrorCode::timed_out) take_back("it took too long");
        throw;
    } catch (const boost::system::system_error&) {
        take_back("the run was cancelled");
        throw;
    }
}

}  // namespace stele::tools::mcp
