#include "net/response_reader.hpp"

#include "net/chunk_decoder.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace stele::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::uint32_t head_bytes_max = 256u << 10;
constexpr std::size_t fields_max = 256;
constexpr int interim_answers_max = 32;

class FillingParser final : public http::basic_parser<false> {
public:
    int status = 0;
    Headers headers;

private:
    void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view, int, error_code&) override { status = code; }
    void on_field_impl(http::field, string_view name, string_view value, error_code& failure) override {
        if (headers.fields().size() >= fields_max) failure = http::error::header_limit;
        headers.add(std::string(name), std::string(value));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view, error_code&) override { return 0; }  // bodies are not its business
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}
};

}  // namespace

struct ResponseReader::Parser {
    std::optional<FillingParser> beast;
    std::string body;
    ChunkDecoder chunks;
    std::optional<std::uint64_t> body_bytes_left;  ///< of a body with a length
    int interim_answers = 0;
};

ResponseReader::ResponseReader() : parser_(std::make_unique<Parser>()) {}
ResponseReader::~ResponseReader() = default;

void ResponseReader::begin(bool head_request) {
    head_request_ = head_request;
    parser_->interim_answers = 0;
    parser_->body.clear();
    restart();
}

void ResponseReader::restart() {
    parser_->beast.emplace();
    parser_->beast->header_limit(head_bytes_max);
    parser_->beast->body_limit(boost::none);  // the caller counts what it keeps
    parser_->beast->skip(head_request_);
    state_ = State::head;
}

std::size_t ResponseReader::feed(std::string_view bytes) {
    if (bytes.empty()) return 0;
    if (state_ == State::head) return feed_head(bytes);
    if (state_ != State::body) return 0;
    if (parser_->beast->chunked()) {
        const std::size_t used = parser_->chunks.feed(bytes, parser_->body);
        const auto state = parser_->chunks.state();
        if (state != ChunkDecoder::State::more)
            state_ = state == ChunkDecoder::State::done ? State::done : State::failed;
        return used;
    }
    auto& left = parser_->body_bytes_left;
    const auto used = left ? static_cast<std::size_t>(std::min<std::uint64_t>(*left, bytes.size())) : bytes.size();
    parser_->body.append(bytes.substr(0, used));
    if (left && (*left -= used) == 0) state_ = State::done;
    return used;
}

std::size_t ResponseReader::feed_head(std::string_view bytes) {
    FillingParser& beast = *parser_->beast;
    error_code failure;
    const std::size_t used = beast.put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    if (failure && failure != http::error::need_more) {
        state_ = State::failed;
        return used;
    }
    if (!beast.is_header_done()) return used;
    const int status = beast.status;
    if (status >= 100 && status < 200) {
        if (status == 101 || ++parser_->interim_answers > interim_answers_max)
            state_ = State::failed;  // nobody asked for another protocol
        else
            restart();
        return used;
    }
    parser_->chunks.begin(std::numeric_limits<std::uint64_t>::max());  // the caller counts what it keeps
    parser_->body_bytes_left.reset();
    if (const auto length = beast.content_length()) parser_->body_bytes_left = *length;
    const bool bodyless = head_request_ || status == 204 || status == 304 || parser_->body_bytes_left == 0u;
    state_ = bodyless ? State::done : State::body;
    return used;
}

void ResponseReader::feed_end() {
    if (state_ == State::done || state_ == State::failed) return;
    const bool proper = state_ == State::body && !parser_->beast->chunked() && !parser_->body_bytes_left;
    state_ = proper ? State::done : State::failed;
}

int ResponseReader::status() const { return parser_->beast->status; }
const Headers& ResponseReader::headers() const { return parser_->beast->headers; }
bool ResponseReader::keep_alive() const { return parser_->beast->keep_alive(); }
std::string ResponseReader::take_body() { return std::exchange(parser_->body, {}); }
std::size_t ResponseReader::body_bytes() const { return parser_->body.size(); }

}  // namespace stele::net
