#include "llm/embedder.hpp"

#include "base/json_text.hpp"
#include "base/let_others_run.hpp"
#include "llm/hash_embedding.hpp"
#include "llm/model_failure.hpp"
#include "net/url.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace stele::llm {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;
using Vectors = std::vector<std::vector<float>>;

constexpr std::size_t batch_texts_max = 2'048;        // OpenAI's limit
constexpr std::size_t batch_bytes_max = 800'000;      // about 200,000 tokens; OpenAI takes 300,000 at once
constexpr std::size_t answer_bytes_max = 256u << 20;  // 2,048 vectors of 4,096 numbers
constexpr std::size_t read_at_once_bytes_max = 64u << 10;
constexpr std::size_t hashes_at_once = 16;
constexpr auto connect_timeout = std::chrono::seconds(5);

std::string root_of(const std::string& base_url) {
    return base_url.ends_with("/v1") ? base_url.substr(0, base_url.size() - 3) : base_url;
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

Error bad_answer(const std::string& model, const std::string& host, const std::string& what) {
    return model_failure("llm_error", "The embedding model '" + model + "' at " + host + " answered with " + what);
}

std::vector<float> to_floats(const json::value& from, std::int64_t dimensions, const std::string& model,
                             const std::string& host) {
    if (!from.is_array()) throw bad_answer(model, host, "something that is no list of numbers");
    const json::array& numbers = from.get_array();
    if (static_cast<std::int64_t>(numbers.size()) != dimensions || numbers.empty()) {
        Error error = bad_answer(model, host,
                                 std::to_string(numbers.size()) + " numbers for a text, where its configuration says " +
                                     std::to_string(dimensions) + " (embedding_dim)");
        error.final = true;
        throw std::move(error);
    }
    std::vector<float> values;
    values.reserve(numbers.size());
    for (const json::value& number : numbers) {
        if (!number.is_number()) throw bad_answer(model, host, "something that is no list of numbers");
        const auto value = number.to_number<float>();
        if (!std::isfinite(value)) throw bad_answer(model, host, "a number that is none");
        values.push_back(value);
    }
    return values;
}

std::string request_body(const EmbeddingRequest& request, std::size_t begin, std::size_t end, bool ollama) {
    std::string body = "{\"model\":" + json_string(request.model) + ",\"input\":[";
    for (std::size_t i = begin; i < end; ++i) {
        if (i > begin) body += ',';
        append_json_string(body, is_blank(request.texts[i]) ? std::string(" ") : request.texts[i]);
    }
    return body + (ollama ? "],\"truncate\":true}" : "],\"encoding_format\":\"float\"}");
}

}  // namespace

std::size_t batch_end(const std::vector<std::string>& texts, std::size_t begin) {
    std::size_t end = begin, bytes = 0;
    while (end < texts.size() && end - begin < batch_texts_max) {
        bytes += texts[end].size();
        if (end > begin && bytes > batch_bytes_max) break;
        ++end;
    }
    return end;
}

Vectors read_embeddings(std::string_view body, std::size_t count, std::int64_t dimensions, const std::string& model,
                        const std::string& host) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure || !parsed.is_object()) throw bad_answer(model, host, "no JSON object");
    const json::object& answer = parsed.get_object();
    const auto* data = answer.if_contains("data");
    const auto* native = answer.if_contains("embeddings");
    const json::array* list = data != nullptr ? data->if_array() : native != nullptr ? native->if_array() : nullptr;
    if (list == nullptr || list->size() != count)
        throw bad_answer(model, host, "other than " + std::to_string(count) + " vectors");
    Vectors vectors(count);
    for (std::size_t i = 0; i < count; ++i) {
        const json::value& each = (*list)[i];
        std::size_t index = i;
        const json::value* numbers = &each;
        if (data != nullptr) {
            if (!each.is_object()) throw bad_answer(model, host, "something that is no vector");
            const auto* place = each.get_object().if_contains("index");
            if (place != nullptr && place->is_int64() && place->get_int64() >= 0)
                index = static_cast<std::size_t>(place->get_int64());
            numbers = each.get_object().if_contains("embedding");
        }
        if (numbers == nullptr || index >= count || !vectors[index].empty())
            throw bad_answer(model, host, "vectors that can't be told apart");
        if (dimensions == 0 && numbers->is_array()) dimensions = static_cast<std::int64_t>(numbers->get_array().size());
        vectors[index] = to_floats(*numbers, dimensions, model, host);
    }
    return vectors;
}

bool is_too_large(const Error& error) {
    if (error.type == "llm_context_overflow") return true;
    if (error.type != "llm_bad_request") return false;
    std::string words = error.what();
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool tokens = words.find("token") != std::string::npos;
    return (tokens && (words.find("max") != std::string::npos || words.find("limit") != std::string::npos)) ||
           words.find("batch size") != std::string::npos || words.find("too large") != std::string::npos;
}

awaitable<Vectors> HashEmbedder::embed(EmbeddingRequest request) {
    Vectors vectors;
    vectors.reserve(request.texts.size());
    for (const std::string& text : request.texts) {
        vectors.push_back(hash_embedding(text));
        if (vectors.size() % hashes_at_once == 0) co_await let_others_run();
    }
    co_return vectors;
}

ServerEmbedder::ServerEmbedder(net::HttpClient& client, ChatEndpoint endpoint, Protocol protocol,
                               WorkerThreads* workers)
    : client_(client), endpoint_(std::move(endpoint)), protocol_(protocol), workers_(workers) {
    const auto url = net::parse_url(endpoint_.base_url);
    host_ = url ? url->host : endpoint_.base_url;
    url_ =
        protocol_ == Protocol::ollama ? root_of(endpoint_.base_url) + "/api/embed" : endpoint_.base_url + "/embeddings";
}

awaitable<std::string> ServerEmbedder::send(std::string body, const EmbeddingRequest& request) const {
    net::ClientRequest sent;
    sent.method = net::Method::post;
    sent.url = url_;
    sent.headers.add("Content-Type", "application/json");
    if (!endpoint_.key.empty()) sent.headers.add("Authorization", endpoint_.key_scheme + " " + endpoint_.key.reveal());
    sent.body = std::move(body);
    sent.connect_timeout = std::min<std::chrono::milliseconds>(connect_timeout, request.patience);
    sent.head_timeout = sent.idle_timeout = sent.total_timeout = request.patience;
    sent.body_bytes_max = answer_bytes_max;
    std::optional<Error> failure;
    net::ClientResponse answer;
    try {
        answer = co_await client_.send(std::move(sent));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = model_failure(error.code == ErrorCode::timed_out ? "llm_timeout" : "llm_connection",
                                "The embedding model '" + request.model + "' could not be asked: " + error.what());
    }
    if (failure) throw std::move(*failure);
    if (answer.status < 200 || answer.status >= 300)
        throw failure_of_answer(answer.status, answer.body, std::nullopt, request.model, host_);
    if (answer.body.size() <= read_at_once_bytes_max && is_error_body(answer.body))
        throw failure_within_answer(answer.body, request.model, host_);
    co_return std::move(answer.body);
}

awaitable<Vectors> ServerEmbedder::ask(const EmbeddingRequest& request, Batch batch) const {
    const bool ollama = protocol_ == Protocol::ollama;
    std::string wanted = request_body(request, batch.begin, batch.end, ollama);
    std::string body = co_await send(std::move(wanted), request);
    const std::size_t count = batch.end - batch.begin;
    if (workers_ == nullptr || body.size() <= read_at_once_bytes_max)
        co_return read_embeddings(body, count, request.dimensions, request.model, host_);
    std::function<Vectors()> read = [body = std::move(body), count, dimensions = request.dimensions,
                                     model = request.model,
                                     host = host_] { return read_embeddings(body, count, dimensions, model, host); };
    co_return co_await workers_->run(std::move(read));
}

awaitable<Vectors> ServerEmbedder::embed(EmbeddingRequest request) {
    Vectors vectors(request.texts.size());
    std::vector<Batch> left;
    for (std::size_t begin = 0; begin < request.texts.size(); begin = left.back().end) {
        Batch& batch = left.emplace_back();
        batch.begin = begin;
        batch.end = batch_end(request.texts, begin);
    }
    while (!left.empty()) {
        const Batch batch = left.back();
        left.pop_back();
        std::optional<Error> failure;
        Vectors made;
        try {
            made = co_await ask(request, batch);
        } catch (const Error& error) {
            if (!is_too_large(error) || batch.end - batch.begin == 1) throw;
            failure = error;
        }
        if (!failure) {
            std::move(made.begin(), made.end(), vectors.begin() + static_cast<std::ptrdiff_t>(batch.begin));
            continue;
        }
        Batch first = batch, second = batch;
        first.end = second.begin = batch.begin + (batch.end - batch.begin) / 2;
        left.push_back(second);
        left.push_back(first);
    }
    co_return vectors;
}

}  // namespace stele::llm
