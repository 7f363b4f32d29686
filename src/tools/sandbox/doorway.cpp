#include "tools/sandbox/doorway.hpp"

#include "base/error.hpp"
#include "tools/sandbox/egress_proxy.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace stele::tools {

namespace asio = boost::asio;

// On its executor.
struct Doorway::State {
    State(const asio::any_io_executor& executor, Descriptor descriptor, net::EgressRules rules_)
        : control(executor, descriptor.release()), rules(std::move(rules_)) {}

    void wait(std::shared_ptr<State> self) {
        control.async_wait(asio::posix::stream_descriptor::wait_read, [self](const boost::system::error_code& failure) {
            if (!failure && !self->receive()) self->wait(self);
        });
    }

    bool receive() {
        char byte = 0;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
        iovec data{&byte, 1};
        msghdr message{};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = ancillary.data();
        message.msg_controllen = ancillary.size();
        const ssize_t count = ::recvmsg(control.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (count < 0) return errno != EAGAIN && errno != EINTR;
        const cmsghdr* header = CMSG_FIRSTHDR(&message);
        if (count != 1 || header == nullptr || header->cmsg_type != SCM_RIGHTS) return true;
        int listener = -1;
        std::memcpy(&listener, CMSG_DATA(header), sizeof listener);
        proxy = std::make_unique<EgressProxy>(control.get_executor(), Descriptor(listener), rules);
        return true;
    }

    void close() {
        boost::system::error_code ignored;
        control.close(ignored);
        proxy.reset();
    }

    asio::posix::stream_descriptor control;
    const net::EgressRules rules;
    std::unique_ptr<EgressProxy> proxy;
};

std::pair<Descriptor, Descriptor> packet_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        throw Error(ErrorCode::unavailable, "no descriptors are left for a sandbox");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Doorway::Doorway(const asio::any_io_executor& executor, Descriptor control, net::EgressRules rules)
    : state_(std::make_shared<State>(executor, std::move(control), std::move(rules))) {
    state_->wait(state_);
}

Doorway::~Doorway() {
    const auto executor = state_->control.get_executor();
    asio::post(executor, [state = std::move(state_)] { state->close(); });
}

}  // namespace stele::tools
