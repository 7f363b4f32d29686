#include "tools/mcp/address.hpp"

#include "net/egress.hpp"
#include "net/http.hpp"
#include "net/url.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

// Names that mean a place within a network of its own.
constexpr std::string_view inner_names[] = {"localhost", "metadata.google.internal"};
constexpr std::string_view inner_endings[] = {".localhost", ".local", ".localdomain",  ".internal",
                                              ".home.arpa", ".svc",   ".cluster.local"};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    while (!text.empty() && text.back() == '.') text.pop_back();
    return text;
}

}  // namespace

std::string address_problem(std::string_view url, bool private_too) {
    const auto parsed = net::parse_url(url);
    if (!parsed) return "must be an http or https URL with a host and without a password";
    if (private_too) return {};
    const std::string host = lower(parsed->host);
    for (const std::string_view name : inner_names)
        if (host == name) return "must lead to a public address, not to " + host;
    for (const std::string_view ending : inner_endings)
        if (host.ends_with(ending))
            return "must lead to a public address, not to a name that ends in " + std::string(ending);
    boost::system::error_code no_address;
    const auto address = boost::asio::ip::make_address(host, no_address);
    if (!no_address && !net::is_public(address)) return "must lead to a public address, not to " + host;
    return {};
}

std::string origin_of_url(std::string_view url) {
    const auto parsed = net::parse_url(url);
    return parsed ? parsed->scheme + "://" + lower(parsed->host) + ":" + parsed->port : std::string();
}

std::string within_origin(std::string_view base, std::string_view reference) {
    const auto from = net::parse_url(base);
    if (!from || reference.empty()) return {};
    if (reference.find("://") != std::string_view::npos && !reference.starts_with('/'))
        return origin_of_url(reference) == origin_of_url(base) ? std::string(reference) : std::string();
    if (reference.starts_with("//") || reference.find_first_of("\r\n ") != std::string_view::npos) return {};
    const std::string origin = from->scheme + "://" + from->authority;
    if (reference.starts_with('/')) return origin + std::string(reference);
    std::string path = from->target.substr(0, from->target.find('?'));
    if (reference.starts_with('?')) return origin + path + std::string(reference);
    return origin + path.substr(0, path.rfind('/') + 1) + std::string(reference);
}

}  // namespace stele::tools::mcp
