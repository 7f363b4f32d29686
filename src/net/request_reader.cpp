#include "net/request_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>

namespace stele::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::size_t fields_max = 128;

// The size and extensions of a chunk, or all trailers: the parser wants each in one piece.
constexpr std::size_t chunk_head_bytes_max = 8u << 10;

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get: return Method::get;
        case http::verb::head: return Method::head;
        case http::verb::post: return Method::post;
        case http::verb::put: return Method::put;
        case http::verb::patch: return Method::patch;
        case http::verb::delete_: return Method::delete_;
        case http::verb::options: return Method::options;
        default: return Method::other;
    }
}

// What Beast lets pass and a proxy before us may read otherwise: folded lines, a space before the colon, control
// characters, line feeds without their carriage return.
bool is_strict(std::string_view head) {
    for (std::size_t i = 0; i < head.size(); ++i) {
        const auto c = static_cast<unsigned char>(head[i]);
        if (c >= 0x20 && c != 0x7f) continue;
        if (c == '\t') continue;
        if (c != '\r' || i + 1 >= head.size() || head[i + 1] != '\n') return false;
        ++i;
        if (i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t')) return false;
    }
    return true;
}

// "http://host/path" (RFC 9112, 3.2.2) without its first part; anything else as it is.
std::string_view origin_form(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() < scheme.size() || !same_name(target.substr(0, scheme.size()), scheme)) continue;
        const std::size_t path = target.find_first_of("/?", scheme.size());
        return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    return target;
}

// Beast writes straight into our request instead of a container of its own.
class FillingParser final : public http::basic_parser<true> {
public:
    FillingParser(HttpRequest& request, std::size_t target_max) : request_(request), target_max_(target_max) {}

    bool target_too_long() const { return target_too_long_; }
    int version() const { return version_; }   ///< 10 for HTTP/1.0, 11 for HTTP/1.1

private:
    void on_request_impl(http::verb method, string_view, string_view target, int version, error_code& failure) override {
        version_ = version;
        if (version != 10 && version != 11) {
            failure = http::error::bad_version;
            return;
        }
        if (target.size() > target_max_) {
            target_too_long_ = true;
            failure = http::error::bad_target;
            return;
        }
        request_.method = method_of(method);
        request_.target = origin_form({target.data(), target.size()});
        if (!request_.target.starts_with('/') && request_.target != "*") {
            failure = http::error::bad_target;
            return;
        }
        const std::size_t mark = request_.target.find('?');
        request_.path.assign(request_.target, 0, mark);
        request_.query = mark == std::string::npos ? std::string() : request_.target.substr(mark + 1);
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field, string_view name, string_view value, error_code& failure) override {
        if (in_body_) return;   // a trailer: one that could add headers would get past every check of the head
        if (request_.headers.fields().size() >= fields_max) {
            failure = http::error::header_limit;
            return;
        }
        request_.headers.add(std::string(name), std::string(value));
    }
    void on_header_impl(error_code&) override { in_body_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
        if (length) request_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 1u << 20)));
    }
    std::size_t on_body_impl(string_view body, error_code&) override {
        request_.body.append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
        request_.body.append(body.data(), body.size());
        return body.size();
    }
    void on_finish_impl(error_code&) override {}

    HttpRequest& request_;
    std::size_t target_max_;
    int version_ = 11;
    bool target_too_long_ = false;
    bool in_body_ = false;
};

}  // namespace

struct RequestReader::Parser {
    std::optional<FillingParser> beast;
    bool expects_continue = false;
};

RequestReader::RequestReader(Limits limits) : limits_(limits), parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;

void RequestReader::begin(HttpRequest& request) {
    request_ = &request;
    request.method = Method::other;
    request.target.clear();
    request.path.clear();
    request.query.clear();
    request.headers.clear();
    request.body.clear();
    parser_->beast.emplace(request, limits_.target_bytes_max);
    parser_->beast->header_limit(static_cast<std::uint32_t>(limits_.head_bytes_max));
    parser_->beast->body_limit(limits_.body_bytes_max);
    parser_->expects_continue = false;
    state_ = State::head;
    status_ = 0;
    problem_.clear();
}

std::size_t RequestReader::feed(std::string_view bytes) {
    if (bytes.empty() || state_ == State::done || state_ == State::failed) return 0;
    FillingParser& beast = *parser_->beast;
    error_code failure;
    const std::size_t used = beast.put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    if (failure && failure != http::error::need_more) {
        if (beast.target_too_long())
            fail(414, "The request's target is longer than " + std::to_string(limits_.target_bytes_max) + " bytes");
        else if (failure == http::error::header_limit)
            fail(431, "The request's head is too large");
        else if (failure == http::error::body_limit)
            fail(413, "The request's body is larger than " + std::to_string(limits_.body_bytes_max) + " bytes");
        else if (failure == http::error::bad_version)
            fail(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here");
        else
            fail(400, "The request is no valid HTTP: " + failure.message());
        return used;
    }
    if (state_ == State::head && beast.is_header_done()) check_head(bytes.substr(0, used));
    if (state_ == State::body && beast.is_done()) state_ = State::done;
    // What the parser wants in one piece must not grow for ever.
    const std::size_t waiting = bytes.size() - used;
    if (state_ == State::head && waiting > limits_.head_bytes_max) fail(431, "The request's head is too large");
    if (state_ == State::body && used == 0 && waiting > chunk_head_bytes_max) fail(400, "A chunk's head or the trailers are too large");
    return used;
}

void RequestReader::check_head(std::string_view raw) {
    if (!is_strict(raw)) return fail(400, "The request's head holds a control character or a folded line");
    int hosts = 0, codings = 0, lengths = 0;
    bool only_chunked = true;
    for (const auto& [name, value] : request_->headers.fields()) {
        if (same_name(name, "Host")) ++hosts;
        if (same_name(name, "Content-Length")) ++lengths;
        if (same_name(name, "Expect")) parser_->expects_continue = same_name(value, "100-continue") && !http_1_0();
        if (same_name(name, "Transfer-Encoding")) {
            ++codings;
            only_chunked = only_chunked && same_name(value, "chunked");
        }
    }
    if (hosts > 1 || (hosts == 0 && !http_1_0())) return fail(400, "A request needs exactly one Host header");
    if (lengths > 1) return fail(400, "A request has at most one Content-Length header");
    if (codings > 0 && http_1_0()) return fail(400, "HTTP/1.0 has no Transfer-Encoding");
    if (!only_chunked) return fail(501, "Of the transfer codings only chunked is known");
    parser_->beast->eager(true);   // until here the parser stopped behind the head; from here it takes all of the body
    state_ = State::body;
}

void RequestReader::fail(int status, std::string problem) {
    state_ = State::failed;
    status_ = status;
    problem_ = std::move(problem);
}

bool RequestReader::keep_alive() const { return parser_->beast->keep_alive(); }
bool RequestReader::http_1_0() const { return parser_->beast->version() == 10; }
bool RequestReader::expects_continue() const { return parser_->expects_continue; }

}  // namespace stele::net
