#include "net/web_socket.hpp"

#include <algorithm>

namespace stele::net {

namespace http = boost::beast::http;

bool opens_web_socket(const HttpRequest& request) {
    const std::string* upgrade = request.headers.find("Upgrade");
    return request.method == Method::get && upgrade != nullptr && same_name(*upgrade, "websocket");
}

http::request<http::empty_body> upgrade_of(const HttpRequest& request) {
    http::request<http::empty_body> made(http::verb::get, request.target, 11);
    for (const auto& [name, value] : request.headers.fields()) made.insert(name, value);
    return made;
}

}  // namespace stele::net
