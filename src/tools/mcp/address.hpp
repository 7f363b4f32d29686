#pragma once

#include <string>
#include <string_view>

namespace stele::tools::mcp {

/// Why a server can't be reached at `url` whatever its name leads to; empty if it may be tried. With `private_too` only
/// the form counts. The addresses that a name leads to are looked at when they are connected to (net/egress.hpp).
std::string address_problem(std::string_view url, bool private_too);

/// "https://host:port": what redirects and the paths that a server names may not leave. Empty for no URL.
std::string origin_of_url(std::string_view url);

/// `reference` (absolute, or a path) as `base` sees it, if it stays within the origin of `base`; else empty.
std::string within_origin(std::string_view base, std::string_view reference);

}  // namespace stele::tools::mcp
