#pragma once

#include "net/egress.hpp"
#include "tools/sandbox/descriptor.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <utility>

namespace stele::tools {

/// Where programs in a sandbox find the proxy, in a network that holds nothing else.
inline constexpr int proxy_port = 3128;

/// Two ends of a socket for messages that carry descriptors. Throws Error{unavailable} if there are none left.
std::pair<Descriptor, Descriptor> packet_pair();

/// The way out of a sandbox's network: waits until a program inside hands over a listening socket that it has made at
/// proxy_port (one byte with the descriptor), and has an EgressProxy answer there until destroyed.
class Doorway {
public:
    /// `control`: our end of the socket by which it comes. Works on `executor`.
    Doorway(const boost::asio::any_io_executor& executor, Descriptor control, net::EgressRules rules);
    ~Doorway();
    Doorway(const Doorway&) = delete;
    Doorway& operator=(const Doorway&) = delete;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace stele::tools
