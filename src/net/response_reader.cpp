#include "net/response_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <optional>

namespace stele::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::uint32_t head_bytes_max = 256u << 10;
constexpr std::size_t chunk_head_bytes_max = 8u << 10;   // the parser wants it, or all trailers, in one piece
constexpr std::size_t fields_max = 256;
constexpr int interim_answers_max = 32;

class FillingParser final : public http::basic_parser<false> {
public:
    int status = 0;
    Headers headers;
    std::string body;

private:
    void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view, int, error_code&) override { status = code; }
    void on_field_impl(http::field, string_view name, string_view value, error_code& failure) override {
        if (in_body_) return;   // a trailer
        if (headers.fields().size() >= fields_max) failure = http::error::header_limit;
        headers.add(std::string(name), std::string(value));
    }
    void on_header_impl(error_code&) override { in_body_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view piece, error_code&) override {
        body.append(piece.data(), piece.size());
        return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
        body.append(piece.data(), piece.size());
        return piece.size();
    }
    void on_finish_impl(error_code&) override {}

    bool in_body_ = false;
};

}  // namespace

struct ResponseReader::Parser {
    std::optional<FillingParser> beast;
    int interim_answers = 0;
};

ResponseReader::ResponseReader() : parser_(std::make_unique<Parser>()) {}
ResponseReader::~ResponseReader() = default;

void ResponseReader::begin(bool head_request) {
    head_request_ = head_request;
    parser_->interim_answers = 0;
    restart();
}

void ResponseReader::restart() {
    parser_->beast.emplace();
    parser_->beast->header_limit(head_bytes_max);
    parser_->beast->body_limit(boost::none);   // the caller counts what it keeps
    parser_->beast->skip(head_request_);
    state_ = State::head;
}

std::size_t ResponseReader::feed(std::string_view bytes) {
    if (bytes.empty() || state_ == State::done || state_ == State::failed) return 0;
    error_code failure;
    const std::size_t used = parser_->beast->put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    if (failure && failure != http::error::need_more)
        state_ = State::failed;
    else
        advance();
    const bool stuck = state_ == State::body && used == 0 && bytes.size() > chunk_head_bytes_max;
    if (stuck) state_ = State::failed;
    return used;
}

void ResponseReader::advance() {
    FillingParser& beast = *parser_->beast;
    if (state_ == State::head && beast.is_header_done()) {
        if (beast.status >= 100 && beast.status < 200 && beast.status != 101) {
            if (++parser_->interim_answers > interim_answers_max)
                state_ = State::failed;
            else
                restart();
            return;
        }
        beast.eager(true);
        state_ = State::body;
    }
    if (state_ == State::body && beast.is_done()) state_ = State::done;
}

void ResponseReader::feed_end() {
    if (state_ == State::done || state_ == State::failed) return;
    error_code failure;
    if (parser_->beast->got_some()) parser_->beast->put_eof(failure);
    state_ = !failure && parser_->beast->is_done() ? State::done : State::failed;
}

int ResponseReader::status() const { return parser_->beast->status; }
const Headers& ResponseReader::headers() const { return parser_->beast->headers; }
bool ResponseReader::keep_alive() const { return parser_->beast->keep_alive(); }
std::string ResponseReader::take_body() { return std::exchange(parser_->beast->body, {}); }
std::size_t ResponseReader::body_bytes() const { return parser_->beast->body.size(); }

}  // namespace stele::net
