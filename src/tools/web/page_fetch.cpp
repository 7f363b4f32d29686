#include "tools/web/page_fetch.hpp"

#include "base/error.hpp"
#include "net/gzip.hpp"
#include "net/url.hpp"
#include "tools/web/charset.hpp"
#include "tools/web/markdown.hpp"
#include "tools/working_memory.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds patience{30'000}, connect_patience{10'000};
constexpr std::size_t page_bytes_max = 5u << 20;
constexpr int redirects_max = 10;
constexpr char accepted[] =
    "text/html,application/xhtml+xml,text/markdown,text/plain,application/json,application/xml;q=0.9,text/*;q=0.8,*/"
    "*;q=0.1";

std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return made;
}

std::string trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\"'");
    return begin == text.npos ? std::string()
                              : std::string(text.substr(begin, text.find_last_not_of(" \t\"'") - begin + 1));
}

// "text/html; charset=utf-8"
void read_type(std::string_view field, FetchedPage& page) {
    page.type = lower(trimmed(field.substr(0, field.find(';'))));
    const std::string low = lower(field);
    const auto at = low.find("charset=");
    if (at != low.npos) page.charset = trimmed(field.substr(at + 8, field.find(';', at) - at - 8));
}

bool is_html(const std::string& type) { return type == "text/html" || type == "application/xhtml+xml"; }

// An answer that does not say what it is can be looked at when it is there.
bool is_readable(const std::string& type) {
    constexpr std::string_view others[] = {"application/json",         "application/xml",  "application/javascript",
                                           "application/x-ndjson",     "application/yaml", "application/x-yaml",
                                           "application/markdown",     "application/toml", "application/ecmascript",
                                           "application/x-javascript", "application/sql"};
    return type.empty() || is_html(type) || type.starts_with("text/") || type.ends_with("+json") ||
           type.ends_with("+xml") || std::find(std::begin(others), std::end(others), type) != std::end(others);
}

bool looks_like_html(std::string_view body) {
    const std::string head = lower(body.substr(0, 1024));
    return head.find("<!doctype html") != head.npos || head.find("<html") != head.npos;
}

// Neither path nor query: the model knows them, and logs must not.
std::string host_of(const std::string& url) {
    const auto parsed = net::parse_url(url);
    return parsed ? parsed->host : "?";
}

[[noreturn]] void fail(const std::string& why) { throw ToolFailure("fetch_webpage: " + why); }

std::string address(std::string_view base, std::string_view reference, const char* what) {
    std::string url = net::resolve_reference(base.empty() ? reference : base, reference);
    url.resize(std::min(url.find('#'), url.size()));
    if (!net::parse_url(url))
        fail(std::string(what) +
             " is no http or https address that can be fetched: it needs the form "
             "https://host/path, without a user name");
    return url;
}

awaitable<std::string> read_body(net::ClientStream& stream) {
    std::string body;
    for (;;) {
        const std::string piece = co_await stream.read();
        if (piece.empty()) break;
        body += piece;
        if (body.size() > page_bytes_max)
            fail("the page is larger than " + std::to_string(page_bytes_max >> 20) +
                 " MiB, which is the most that is read");
    }
    const std::string* coding = stream.headers().find("Content-Encoding");
    if (coding == nullptr || *coding == "identity") co_return body;
    net::GunzipFailure failure = net::GunzipFailure::none;
    std::optional<std::string> text;
    if (lower(*coding) == "gzip" || lower(*coding) == "x-gzip") text = net::gunzip(body, page_bytes_max, failure);
    if (!text && failure == net::GunzipFailure::too_large)
        fail("the page is larger than " + std::to_string(page_bytes_max >> 20) +
             " MiB, which is the most that is read");
    if (!text) fail("the page is packed in a way that can't be read");
    co_return std::move(*text);
}

net::ClientRequest request_for(const std::string& url, Clock::time_point until) {
    net::ClientRequest request;
    request.url = url;
    request.headers.add("User-Agent", "Mozilla/5.0 (compatible; stele)");
    request.headers.add("Accept", accepted);
    request.headers.add("Accept-Encoding", "gzip");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    request.total_timeout = std::max(left, std::chrono::milliseconds(1));
    request.connect_timeout = std::min(request.total_timeout, connect_patience);
    request.head_timeout = request.idle_timeout = request.total_timeout;
    return request;
}

}  // namespace

awaitable<FetchedPage> fetch_page(net::HttpClient& client, std::string url) {
    const auto until = Clock::now() + patience;
    FetchedPage page;
    page.url = address("", url, "'url'");
    std::string failure;
    try {
        for (int redirects = 0;; ++redirects) {
            net::ClientRequest request = request_for(page.url, until);
            const std::unique_ptr<net::ClientStream> stream = co_await client.open(std::move(request));
            const int status = stream->status();
            const std::string* location = stream->headers().find("Location");
            if (status >= 301 && status <= 308 && status != 304 && location != nullptr) {
                if (redirects == redirects_max) fail("more than " + std::to_string(redirects_max) + " redirects");
                page.url = address(page.url, *location, "what the page redirects to");
                continue;
            }
            if (status != 200 && status != 203)
                fail(host_of(page.url) + " answered with status " + std::to_string(status));
            const std::string* type = stream->headers().find("Content-Type");
            if (type != nullptr) read_type(*type, page);
            if (!is_readable(page.type))
                fail("what stands there is of the type " + page.type.substr(0, 100) +
                     ", not a page or text that can be read");
            page.body = co_await read_body(*stream);
            break;
        }
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error.code == ErrorCode::timed_out ? host_of(page.url) + " did not answer in time" : error.what();
    }
    if (!failure.empty()) fail(failure);
    if (page.type.empty() && looks_like_html(page.body)) page.type = "text/html";
    if (page.type.empty() && page.body.find('\0') != page.body.npos)
        fail("what stands there is not a page or text that can be read");
    co_return page;
}

std::string readable(const FetchedPage& page) {
    const std::string text = to_utf8(page.body, page.charset, is_html(page.type));
    return is_html(page.type) ? page_to_markdown(text, page.url) : text;
}

}  // namespace stele::tools::web
