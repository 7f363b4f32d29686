#pragma once

#include "tools/sandbox/egress_proxy.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

namespace stele::tools {

/// Waits for the listening socket that a sandbox makes in its own network and sends along (one byte, SCM_RIGHTS), and
/// has the proxy answer there. On one executor.
class Doorway {
public:
    /// `descriptor`: our end of the socket pair, owned from now on. `allow_private`: as EgressProxy has it.
    Doorway(const boost::asio::any_io_executor& executor, int descriptor, bool allow_private)
        : control_(executor, descriptor), allow_private_(allow_private) {}

    static void wait(const std::shared_ptr<Doorway>& self);
    void close();
    boost::asio::any_io_executor executor() { return control_.get_executor(); }

private:
    bool receive();

    boost::asio::posix::stream_descriptor control_;
    const bool allow_private_;
    std::unique_ptr<EgressProxy> proxy_;
};

}  // namespace stele::tools
