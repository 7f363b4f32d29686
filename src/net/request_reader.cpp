#include "net/request_reader.hpp"

#include "net/chunk_decoder.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>

namespace stele::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::size_t fields_max = 128;
constexpr std::uint64_t reserved_bytes_max = 1u
                                             << 20;  // for a body that is announced: a promise costs the client nothing

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::post:
            return Method::post;
        case http::verb::put:
            return Method::put;
        case http::verb::patch:
            return Method::patch;
        case http::verb::delete_:
            return Method::delete_;
        case http::verb::options:
            return Method::options;
        default:
            return Method::other;
    }
}

/// Looks for the empty line that ends a head, and for what Beast lets pass and a proxy before us may read otherwise:
/// folded lines, control characters, line feeds without their carriage return. Beast gets whole heads only.
class HeadScanner {
public:
    enum class Found : std::uint8_t { nothing, end, forbidden };

    void begin() { at_ = 0; }
    std::size_t bytes() const { return at_; }  ///< of the head, if its end was found

    /// `bytes` begins with those of the last call.
    Found scan(std::string_view bytes) {
        for (; at_ < bytes.size(); ++at_) {
            const auto c = static_cast<unsigned char>(bytes[at_]);
            const char before = at_ > 0 ? bytes[at_ - 1] : '\0';
            if (before == '\r' && c != '\n') return Found::forbidden;
            if (c == '\n') {
                if (before != '\r') return Found::forbidden;
                if (at_ >= 3 && bytes[at_ - 2] == '\n') {
                    ++at_;
                    return Found::end;
                }
            } else if (c == '\t' || c == ' ') {
                if (before == '\n') return Found::forbidden;
            } else if ((c < 0x20 && c != '\r') || c == 0x7f) {
                return Found::forbidden;
            }
        }
        return Found::nothing;
    }

private:
    std::size_t at_ = 0;
};

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
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

// Beast reads the head, and writes straight into our request instead of a container of its own.
class FillingParser final : public http::basic_parser<true> {
public:
    FillingParser(HttpRequest& request, std::size_t target_max) : request_(request), target_max_(target_max) {}

    bool target_too_long() const { return target_too_long_; }
    int version() const { return version_; }  ///< 10 for HTTP/1.0, 11 for HTTP/1.1

private:
    void on_request_impl(http::verb method, string_view, string_view target, int version,
                         error_code& failure) override {
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
        if (request_.headers.fields().size() >= fields_max) {
            failure = http::error::header_limit;
            return;
        }
        request_.headers.add(std::string(name), std::string(value));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view, error_code&) override { return 0; }  // bodies are not its business
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    HttpRequest& request_;
    std::size_t target_max_;
    int version_ = 11;
    bool target_too_long_ = false;
};

}  // namespace

struct RequestReader::Parser {
    HeadScanner scanner;
    std::optional<FillingParser> beast;
    ChunkDecoder chunks;
    std::uint64_t body_bytes_left = 0;  ///< of a body that is not chunked
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
    request.large_body.reset();
    request.id.clear();
    parser_->beast.emplace(request, limits_.target_bytes_max);
    parser_->beast->header_limit(static_cast<std::uint32_t>(limits_.head_bytes_max + 1));
    parser_->beast->body_limit(boost::none);  // it depends on the head: check_head
    parser_->scanner.begin();
    parser_->expects_continue = false;
    large_ = false;
    state_ = State::head;
    status_ = 0;
    problem_.clear();
}

std::size_t RequestReader::feed(std::string_view bytes) {
    if (bytes.empty()) return 0;
    if (state_ == State::head) return feed_head(bytes);
    if (state_ != State::body) return 0;
    if (parser_->beast->chunked()) {
        const std::size_t used = parser_->chunks.feed(bytes, request_->body);
        const auto state = parser_->chunks.state();
        if (state == ChunkDecoder::State::done) state_ = State::done;
        if (state == ChunkDecoder::State::malformed) fail(400, "The request's body is not properly chunked");
        if (state == ChunkDecoder::State::too_large) fail_too_large();
        return used;
    }
    const auto used = static_cast<std::size_t>(std::min<std::uint64_t>(parser_->body_bytes_left, bytes.size()));
    request_->body.append(bytes.substr(0, used));
    parser_->body_bytes_left -= used;
    if (parser_->body_bytes_left == 0) state_ = State::done;
    return used;
}

std::size_t RequestReader::feed_head(std::string_view bytes) {
    HeadScanner& scanner = parser_->scanner;
    if (bytes.starts_with("\r\n")) {  // RFC 9112, 2.2: some clients end a body so
        scanner.begin();
        return 2;
    }
    const auto found = scanner.scan(bytes);
    if (scanner.bytes() > limits_.head_bytes_max) {
        if (bytes.substr(0, limits_.head_bytes_max).find('\n') == std::string_view::npos)
            fail_too_long();
        else
            fail(431, "The request's head is larger than " + std::to_string(limits_.head_bytes_max) + " bytes");
    } else if (found == HeadScanner::Found::forbidden) {
        fail(400, "The request's head holds a control character or a folded line");
    } else if (found == HeadScanner::Found::end) {
        parse_head(bytes.substr(0, scanner.bytes()));
        if (state_ == State::head) check_head();
        return scanner.bytes();
    }
    return 0;
}

void RequestReader::parse_head(std::string_view head) {
    FillingParser& beast = *parser_->beast;
    error_code failure;
    beast.put(boost::asio::buffer(head.data(), head.size()), failure);
    if (!failure && beast.is_header_done()) return;
    if (beast.target_too_long())
        fail_too_long();
    else if (failure == http::error::header_limit)
        fail(431, "The request has more than " + std::to_string(fields_max) + " headers");
    else if (failure == http::error::bad_version)
        fail(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here");
    else
        fail(400, "The request is no valid HTTP: " + failure.message());
}

void RequestReader::check_head() {
    int hosts = 0, codings = 0, lengths = 0;
    bool only_chunked = true;
    for (const auto& [name, value] : request_->headers.fields()) {
        if (same_name(name, "Host")) ++hosts;
        if (same_name(name, "Content-Length")) lengths += is_number(value) ? 1 : 2;
        if (same_name(name, "Expect")) parser_->expects_continue = same_name(value, "100-continue") && !http_1_0();
        if (same_name(name, "Transfer-Encoding")) {
            ++codings;
            only_chunked = only_chunked && same_name(value, "chunked");
        }
    }
    if (hosts > 1 || (hosts == 0 && !http_1_0())) return fail(400, "A request needs exactly one Host header");
    if (lengths > 1) return fail(400, "A request has at most one Content-Length, and that is a number");
    if (codings > 0 && http_1_0()) return fail(400, "HTTP/1.0 has no Transfer-Encoding");
    if (!only_chunked) return fail(501, "Of the transfer codings only chunked is known");
    parser_->body_bytes_left = parser_->beast->content_length().value_or(0);
    large_ = (codings > 0 || parser_->body_bytes_left > limits_.large_from_bytes) &&
             limits_.large_body_bytes_max > limits_.body_bytes_max && limits_.is_large && limits_.is_large(*request_);
    parser_->chunks.begin(body_bytes_max());
    if (parser_->body_bytes_left > body_bytes_max()) return fail_too_large();
    const bool bodyless = codings == 0 && parser_->body_bytes_left == 0;
    request_->body.reserve(static_cast<std::size_t>(std::min(parser_->body_bytes_left, reserved_bytes_max)));
    state_ = bodyless ? State::done : State::body;
}

void RequestReader::fail_too_large() {
    fail(413, "The request's body is larger than " + std::to_string(body_bytes_max()) + " bytes");
}

std::size_t RequestReader::body_bytes_max() const {
    return large_ ? limits_.large_body_bytes_max : limits_.body_bytes_max;
}

void RequestReader::keep_small() {
    large_ = false;
    if (parser_->beast->content_length().value_or(0) > limits_.body_bytes_max) fail_too_large();
    if (parser_->beast->chunked()) parser_->chunks.lower(limits_.large_body_bytes_max - limits_.body_bytes_max);
    if (parser_->chunks.state() == ChunkDecoder::State::too_large) fail_too_large();
}

void RequestReader::fail_too_long() {
    fail(414, "The request's target is longer than " + std::to_string(limits_.target_bytes_max) + " bytes");
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
