#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace stele::net {

/// The parts of an absolute http(s) URL (RFC 3986).
struct Url {
    std::string scheme;     ///< "http" or "https"
    std::string host;       ///< without the brackets of an IPv6 address
    std::string port;       ///< digits; the scheme's own when the URL names none
    std::string target;     ///< path and query as sent: begins with '/'
    std::string authority;  ///< host and port as the Host header wants them
};

/// Fails for what is no absolute http or https URL with a host, and for one that carries a user name or password.
boost::system::result<Url> parse_url(std::string_view text);

/// `reference` as a link on the page `base` means it (RFC 3986, 5.2), absolute; blanks around it do not count, and what
/// a URL must not hold as it is (spaces, letters beyond ASCII) is percent-encoded. Empty for what can't be read.
std::string resolve_reference(std::string_view base, std::string_view reference);

}  // namespace stele::net
