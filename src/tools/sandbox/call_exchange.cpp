#include "tools/sandbox/call_exchange.hpp"

#include "base/error.hpp"
#include "tools/sandbox/call_frames.hpp"
#include "tools/sandbox/output_capture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <csignal>
#include <cstring>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

constexpr std::size_t output_half = 512u << 10;
constexpr std::size_t read_at_once = 64u << 10;
constexpr std::size_t left_over_max = 1u << 20;  // of what is read after the answer: a pipe holds less

// One of the two streams of what is printed. Bytes are read only when they are there, never by an operation that is
// pending: so what is left after the answer can be read in order.
struct OutputStream {
    explicit OutputStream(const asio::any_io_executor& executor) : pipe(executor) {}

    // False at the end of the stream.
    bool read_some(std::size_t& count) {
        thread_local std::array<char, read_at_once> buffer;
        const ssize_t got = ::read(pipe.native_handle(), buffer.data(), buffer.size());
        count = got > 0 ? static_cast<std::size_t>(got) : 0;
        capture.add({buffer.data(), count});
        return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
    }

    void read_rest() {
        std::size_t count = 0;
        for (std::size_t sum = 0; sum < left_over_max && read_some(count) && count > 0;) sum += count;
    }

    asio::posix::stream_descriptor pipe;
    OutputCapture capture{output_half};
};

// The near ends of a call. Shared by the exchange and the coroutines that read what is printed.
struct Streams {
    explicit Streams(const asio::any_io_executor& executor)
        : call(executor), watch(executor), out(executor), err(executor), limit(executor) {}

    void kill() const {
        if (process) ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    }

    void cancel() {
        boost::system::error_code ignored;
        call.close(ignored);
        watch.close(ignored);
        out.pipe.cancel(ignored);
        err.pipe.cancel(ignored);
        limit.cancel();
    }

    Socket call, watch;
    OutputStream out, err;
    asio::steady_timer limit;
    Descriptor process;  ///< pidfd of the call's first process: with it all others of its namespace end
    bool timed_out = false, ended = false;
};

asio::awaitable<void> follow(std::shared_ptr<Streams> streams, OutputStream& stream) {
    boost::system::error_code failure;
    std::size_t count = 0;
    while (!failure && !streams->ended) {
        co_await stream.pipe.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, failure));
        if (failure || streams->ended || !stream.read_some(count)) break;
    }
}

struct FarEnds {
    Descriptor call, out, err, watch;
};

FarEnds open_streams(Streams& streams) {
    FarEnds far;
    const auto socket_pair = [](Socket& near_end, Descriptor& far_end) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            throw Error(ErrorCode::unavailable, "no descriptors are left for the call of a tool");
        far_end.reset(ends[1]);
        near_end.assign(asio::local::stream_protocol(), ends[0]);
    };
    const auto pipe = [](OutputStream& stream, Descriptor& far_end) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            throw Error(ErrorCode::unavailable, "no descriptors are left for the call of a tool");
        far_end.reset(ends[1]);
        stream.pipe.assign(ends[0]);
        stream.pipe.non_blocking(true);
    };
    socket_pair(streams.call, far.call);
    socket_pair(streams.watch, far.watch);
    pipe(streams.out, far.out);
    pipe(streams.err, far.err);
    return far;
}

// The fork-server's word about the fork: its pidfd, or why there is none. False if it has not come yet.
bool receive_process(Streams& streams, std::string& complaint) {
    std::array<char, 512> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    iovec data{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    const ssize_t count = ::recvmsg(streams.watch.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count > 0 && text[0] == 'E') complaint.assign(text.data() + 1, static_cast<std::size_t>(count - 1));
    if (count <= 0 || text[0] != 'P') return true;
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SCM_RIGHTS) {
        int process = -1;
        std::memcpy(&process, CMSG_DATA(header), sizeof process);
        streams.process.reset(process);
    }
    return true;
}

std::uint32_t number_of(const std::array<unsigned char, 4>& bytes) {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::string framed(const std::string& request) {
    const auto length = static_cast<std::uint32_t>(request.size());
    std::string frame;
    for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(length >> shift & 0xff);
    return frame + request;
}

asio::awaitable<void> talk(Streams& streams, std::string request, Exchange& made) {
    // A request of the usual size lies ready before there is a process; it will hear of it when its pidfd is on the way
    // to us, so that nothing that has run is unknown here.
    const std::string frame = framed(request);
    boost::system::error_code failure;
    streams.call.non_blocking(true);
    const std::size_t sent = streams.call.write_some(asio::buffer(frame), failure);
    do {
        co_await streams.watch.async_wait(Socket::wait_read, asio::use_awaitable);
    } while (!receive_process(streams, made.complaint));  // readiness may be a rumour
    if (!streams.process) co_return;

    made.end = Exchange::End::crashed;
    std::array<unsigned char, 4> head{};
    failure = {};
    if (sent < frame.size())
        co_await asio::async_write(streams.call, asio::buffer(frame) + sent,
                                   asio::redirect_error(asio::use_awaitable, failure));
    if (!failure)
        co_await asio::async_read(streams.call, asio::buffer(head), asio::redirect_error(asio::use_awaitable, failure));
    if (!failure && number_of(head) > answer_bytes_max) {
        made.end = Exchange::End::too_large;
        co_return;
    }
    if (!failure) {
        made.answer.resize(number_of(head));
        co_await asio::async_read(streams.call, asio::buffer(made.answer),
                                  asio::redirect_error(asio::use_awaitable, failure));
    }
    if (!failure) {
        made.end = Exchange::End::answered;
        co_return;
    }
    if (failure == asio::error::operation_aborted) throw boost::system::system_error(failure);
    made.answer.clear();
    co_await asio::async_read(streams.watch, asio::buffer(head), asio::redirect_error(asio::use_awaitable, failure));
    if (failure == asio::error::operation_aborted) throw boost::system::system_error(failure);
    made.exit_code = static_cast<std::int32_t>(number_of(head));
}

// Leaves nothing of the call behind, whichever way its frame goes.
class Ending {
public:
    explicit Ending(std::shared_ptr<Streams> streams) : streams_(std::move(streams)) {}
    ~Ending() {
        streams_->ended = true;
        streams_->kill();
        streams_->cancel();
    }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

private:
    std::shared_ptr<Streams> streams_;
};

}  // namespace

asio::awaitable<Exchange> exchange(ForkServer& server, std::string request, std::chrono::milliseconds time_limit) {
    const auto executor = co_await asio::this_coro::executor;
    const auto streams = std::make_shared<Streams>(executor);
    const Ending ending(streams);
    const std::uint64_t ended_for_memory = server.ended_for_memory();
    Exchange made;
    {
        const FarEnds far = open_streams(*streams);
        if (!server.send(far.call.get(), far.out.get(), far.err.get(), far.watch.get())) co_return made;
    }
    asio::co_spawn(executor, follow(streams, streams->out), asio::detached);
    asio::co_spawn(executor, follow(streams, streams->err), asio::detached);
    streams->limit.expires_after(time_limit);
    streams->limit.async_wait([streams](const boost::system::error_code& failure) {
        if (failure || streams->ended) return;
        streams->timed_out = true;
        streams->kill();
        boost::system::error_code ignored;
        streams->call.cancel(ignored);
        streams->watch.cancel(ignored);
    });
    try {
        co_await talk(*streams, std::move(request), made);
    } catch (const boost::system::system_error&) {
        if (!streams->timed_out) throw;
    }
    if (streams->timed_out && made.end != Exchange::End::answered) made.end = Exchange::End::timed_out;
    if (made.end == Exchange::End::crashed && made.exit_code == -SIGKILL &&
        server.ended_for_memory() > ended_for_memory)
        made.end = Exchange::End::out_of_memory;
    streams->kill();
    streams->out.read_rest();
    streams->err.read_rest();
    made.out = streams->out.capture.text();
    made.err = streams->err.capture.text();
    co_return made;
}

}  // namespace stele::tools
