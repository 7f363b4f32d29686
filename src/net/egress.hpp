#pragma once

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <string>
#include <vector>

namespace stele::net {

/// What the server may connect to on somebody else's word (a callback, a URL in a message): addresses that anybody on
/// the internet may reach. False for loopback, private, link-local, shared, multicast, documentation and reserved
/// ranges (IANA's registries of special-purpose addresses), also where IPv6 carries one of these as IPv4. The rule is
/// about addresses, not names: it is asked after the name was resolved, of the very address that is connected to. So
/// no spelling of a host gets around it.
bool is_public(const boost::asio::ip::address& address);

/// True for 169.254/16 and fe80::/10, in any spelling, and for the single addresses that some clouds use instead: there
/// machines get credentials from whoever runs them, and no server of anybody else is.
bool is_link_local(const boost::asio::ip::address& address);

/// Where connections may lead that are made on somebody else's word. A name is looked up once for each, and of what
/// comes back the addresses that are allowed are connected to, these very ones: a name that means something else a
/// moment later gains nothing.
struct EgressRules {
    std::function<bool(const boost::asio::ip::address&)> allows;  ///< empty: everywhere
    std::vector<std::string> trusted_hosts;  ///< the operator's own, whose addresses are not judged
    /// Instead of the system's resolver, for tests; throws nothing.
    std::function<std::vector<boost::asio::ip::address>(const std::string& host)> look_up;

    bool permit(const std::string& host, const boost::asio::ip::address& address) const;
};

}  // namespace stele::net
