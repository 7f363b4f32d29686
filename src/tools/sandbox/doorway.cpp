#include "tools/sandbox/doorway.hpp"

#include <sys/socket.h>

#include <array>
#include <cstring>

namespace stele::tools {

void Doorway::wait(const std::shared_ptr<Doorway>& self) {
    self->control_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                              [self](const boost::system::error_code& failure) {
                                  if (!failure && !self->receive()) wait(self);
                              });
}

// True when there is nothing more to wait for.
bool Doorway::receive() {
    char byte = 0;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    iovec data{&byte, 1};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    const ssize_t count = ::recvmsg(control_.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return errno != EAGAIN && errno != EINTR;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (count != 1 || header == nullptr || header->cmsg_type != SCM_RIGHTS) return true;
    int listener = -1;
    std::memcpy(&listener, CMSG_DATA(header), sizeof listener);
    proxy_ = std::make_unique<EgressProxy>(control_.get_executor(), Descriptor(listener), allow_private_);
    return true;
}

void Doorway::close() {
    boost::system::error_code ignored;
    control_.close(ignored);
    proxy_.reset();
}

}  // namespace stele::tools
