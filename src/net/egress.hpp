#pragma once

#include <boost/asio/ip/address.hpp>

namespace stele::net {

/// What the server may connect to on somebody else's word (a callback, a URL in a message): addresses that anybody on
/// the internet may reach. False for loopback, private, link-local, shared, multicast, documentation and reserved
/// ranges (IANA's registries of special-purpose addresses), also where IPv6 carries one of these as IPv4. The rule is
/// about addresses, not names: it is asked after the name was resolved, of the very address that is connected to. So
/// no spelling of a host gets around it.
bool is_public(const boost::asio::ip::address& address);

/// True for 169.254/16 and fe80::/10, in any spelling, and for fd00:ec2::254: there machines in clouds get credentials
/// from whoever runs the machine, and no server of anybody else is.
bool is_link_local(const boost::asio::ip::address& address);

}  // namespace stele::net
