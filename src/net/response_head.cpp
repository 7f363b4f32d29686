#include "net/response_head.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>

namespace stele::net {
namespace {

// "Tue, 24 Nov 2026 10:20:30 GMT" (RFC 9110, 5.6.7), rendered once a second and thread.
std::string_view date_now() {
    thread_local std::time_t rendered = 0;
    thread_local char text[64];
    thread_local std::size_t length = 0;
    const std::time_t now = std::time(nullptr);
    if (now != rendered) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        rendered = now;
    }
    return {text, length};
}

bool breaks_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

void append_number(std::string& out, std::size_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

}  // namespace

std::string_view reason_of(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return status < 400 ? "OK" : "Error";
    }
}

void append_head(std::string& out, const HttpResponse& response, Framing framing, std::size_t body_bytes,
                 bool keep_alive) {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(response.status));
    out += ' ';
    out += reason_of(response.status);
    out += "\r\nServer: stele\r\nDate: ";
    out += date_now();
    if (framing != Framing::none) {
        out += "\r\nContent-Type: ";
        out += response.content_type;
    }
    if (framing == Framing::length) {
        out += "\r\nContent-Length: ";
        append_number(out, body_bytes);
    } else if (framing == Framing::chunked) {
        out += "\r\nTransfer-Encoding: chunked";
    }
    for (const auto& [name, value] : response.headers.fields()) {
        if (breaks_line(name) || breaks_line(value)) continue;
        out += "\r\n";
        out += name;
        out += ": ";
        out += value;
    }
    out += keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
}

std::string chunk_head(std::size_t bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes);
    return size;
}

}  // namespace stele::net
