#include "tools/sandbox/proxy_head.hpp"

#include <algorithm>
#include <charconv>

namespace stele::tools {
namespace {

constexpr std::string_view scheme = "http://";

bool equal_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// "host:port", "[v6]:port"; `standard` where no port is named, 0: one must be.
bool read_authority(std::string_view text, std::uint16_t standard, ProxyHead& head) {
    std::string_view host = text, port;
    if (const auto close = text.find(']'); text.starts_with('[') && close != text.npos) {
        host = text.substr(1, close - 1);
        port = text.substr(close + 1);
    } else if (const auto colon = text.find(':'); colon != text.npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    head.port = standard;
    if (!port.empty()) {
        const auto [end, failure] = std::from_chars(port.data() + 1, port.data() + port.size(), head.port);
        if (port.front() != ':' || failure != std::errc() || end != port.data() + port.size()) return false;
    }
    const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(".-_:").find(c) != std::string_view::npos;
    });
    if (head.port == 0 || host.empty() || host.size() > 253 || !plain) return false;
    head.host = host;
    return true;
}

// The fields but those that speak to the proxy, and a word that this connection is for one request.
std::string forwarded_fields(std::string_view fields) {
    std::string made;
    while (!fields.empty()) {
        const auto end = fields.find("\r\n");
        const std::string_view line = fields.substr(0, end);
        fields.remove_prefix(end == fields.npos ? fields.size() : end + 2);
        const std::string_view name = line.substr(0, line.find(':'));
        if (line.empty() || equal_letters(name, "connection") || equal_letters(name, "proxy-connection") ||
            equal_letters(name, "keep-alive") || equal_letters(name, "proxy-authorization"))
            continue;
        made.append(line).append("\r\n");
    }
    return made + "Connection: close\r\n\r\n";
}

}  // namespace

ProxyHead read_proxy_head(std::string_view head) {
    ProxyHead made;
    const auto line_end = head.find("\r\n");
    if (line_end == head.npos) return {};
    const std::string_view line = head.substr(0, line_end);
    const auto first = line.find(' '), last = line.rfind(' ');
    if (first == line.npos || first == last || !line.substr(last + 1).starts_with("HTTP/1.")) return {};
    const std::string_view method = line.substr(0, first);
    std::string_view target = line.substr(first + 1, last - first - 1);
    made.tunnel = method == "CONNECT";
    if (made.tunnel) return read_authority(target, 0, made) ? made : ProxyHead();

    if (target.size() < scheme.size() || !equal_letters(target.substr(0, scheme.size() - 3), "http") ||
        target.substr(4, 3) != "://")
        return {};
    target.remove_prefix(scheme.size());
    const auto path = std::min(target.find('/'), target.find('?'));
    const std::string_view authority = target.substr(0, path);
    std::string rest(path == target.npos ? "/" : target.substr(path));
    if (rest.front() == '?') rest.insert(0, "/");
    if (!read_authority(authority, 80, made)) return {};
    made.forward = std::string(method) + " " + rest + " HTTP/1.1\r\n" + forwarded_fields(head.substr(line_end + 2));
    return made;
}

}  // namespace stele::tools
