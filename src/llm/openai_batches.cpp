#include "llm/openai_batches.hpp"

#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/let_others_run.hpp"
#include "llm/model_failure.hpp"
#include "net/url.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>

namespace stele::llm {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;

constexpr char endpoint_of_chat[] = "/v1/chat/completions";
constexpr char name_member[] = "stele_batch";  // of a batch's metadata
constexpr std::size_t answer_bytes_max = 256u << 20;
constexpr std::chrono::seconds silence_max{60}, time_max{600};  // of one call
constexpr int lately = 100;  // how many batches are looked through for a name; one page of the provider's list

constexpr std::string_view ends[] = {"completed", "failed", "expired", "cancelled"};

std::string text_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object* object_at(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

json::object parsed(std::string_view body, const std::string& host) {
    boost::system::error_code failure;
    json::value value = json::parse(json::string_view(body.data(), body.size()), failure);
    if (failure || !value.is_object())
        throw model_failure("llm_error", "The batches of " + host + " answered with no JSON object");
    return std::move(value.get_object());
}

// An id becomes a part of paths: one that could be more than that is none.
std::string id_at(const json::object& from, std::string_view name) {
    constexpr std::string_view marks = "-_.";
    std::string id = text_at(from, name);
    const bool plain = std::all_of(id.begin(), id.end(), [&](unsigned char c) {
        return std::isalnum(c) != 0 || marks.find(static_cast<char>(c)) != std::string_view::npos;
    });
    return plain ? id : std::string();
}

std::string id_in(std::string_view body, const std::string& host) {
    std::string id = id_at(parsed(body, host), "id");
    if (id.empty()) throw model_failure("llm_error", "The batches of " + host + " answered without an id");
    return id;
}

// A boundary that does not occur within (RFC 2046, 5.1.1).
std::string form(const std::string& boundary, const std::string& lines) {
    return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--" + boundary +
           "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"requests.jsonl\"\r\nContent-Type: "
           "application/jsonl\r\n\r\n" +
           lines + "\r\n--" + boundary + "--\r\n";
}

}  // namespace

std::string batch_line(const BatchService::Request& request) {
    return "{\"custom_id\":" + json_string(request.name) + ",\"method\":\"POST\",\"url\":\"" + endpoint_of_chat +
           "\",\"body\":" + request.body + "}\n";
}

std::optional<BatchService::Answer> read_batch_line(std::string_view line) {
    constexpr int good = 200;
    boost::system::error_code failure;
    const json::value value = json::parse(json::string_view(line.data(), line.size()), failure);
    if (failure || !value.is_object()) return std::nullopt;
    const json::object* response = object_at(value.get_object(), "response");
    const json::object* body = response == nullptr ? nullptr : object_at(*response, "body");
    const auto* status = response == nullptr ? nullptr : response->if_contains("status_code");
    if (body == nullptr || status == nullptr || *status != good) return std::nullopt;
    return BatchService::Answer{text_at(value.get_object(), "custom_id"), json::serialize(*body)};
}

OpenAiBatches::OpenAiBatches(net::HttpClient& client, ChatEndpoint endpoint)
    : client_(client), endpoint_(std::move(endpoint)) {
    const auto url = net::parse_url(endpoint_.base_url);
    host_ = url ? url->host : endpoint_.base_url;
}

awaitable<std::string> OpenAiBatches::ask(Call call) {
    net::ClientRequest request;
    request.method = call.method;
    request.url = endpoint_.base_url + call.path;
    if (!call.content_type.empty()) request.headers.add("Content-Type", call.content_type);
    if (!endpoint_.key.empty())
        request.headers.add("Authorization", endpoint_.key_scheme + " " + endpoint_.key.reveal());
    request.body = std::move(call.body);
    request.connect_timeout = endpoint_.connect_timeout;
    request.head_timeout = request.idle_timeout = silence_max;
    request.total_timeout = time_max;
    request.body_bytes_max = answer_bytes_max;
    request.once = call.method == net::Method::post;
    std::optional<Error> failure;
    net::ClientResponse answer;
    try {
        answer = co_await client_.send(std::move(request));
    } catch (const Error& error) {
        failure = error.code == ErrorCode::cancelled ? error : model_failure("llm_connection", error.what());
    }
    if (failure) throw std::move(*failure);
    if (answer.status < 200 || answer.status >= 300)
        throw failure_of_answer(answer.status, answer.body, std::nullopt, "batches", host_);
    co_return std::move(answer.body);
}

awaitable<std::string> OpenAiBatches::upload(std::string lines) {
    const std::string boundary = "stele-" + random_hex(16);
    Call call;
    call.method = net::Method::post;
    call.path = "/files";
    call.content_type = "multipart/form-data; boundary=" + boundary;
    call.body = form(boundary, lines);
    lines = {};
    const std::string answer = co_await ask(std::move(call));
    co_return id_in(answer, host_);
}

awaitable<std::string> OpenAiBatches::submit(std::string name, std::vector<Request> requests) {
    std::string lines;
    for (Request& request : requests) {
        lines += batch_line(request);
        request = {};
    }
    const std::string file = co_await upload(std::move(lines));
    Call call;
    call.method = net::Method::post;
    call.path = "/batches";
    call.content_type = "application/json";
    call.body = "{\"input_file_id\":" + json_string(file) + ",\"endpoint\":\"" + endpoint_of_chat +
                "\",\"completion_window\":\"24h\",\"metadata\":{\"" + name_member + "\":" + json_string(name) + "}}";
    const std::string answer = co_await ask(std::move(call));
    co_return id_in(answer, host_);
}

awaitable<std::optional<std::string>> OpenAiBatches::find(std::string name) {
    Call call;
    call.path = "/batches?limit=" + std::to_string(lately);
    const std::string answer = co_await ask(std::move(call));
    const json::object list = parsed(answer, host_);
    const auto* data = list.if_contains("data");
    if (data == nullptr || !data->is_array()) co_return std::nullopt;
    for (const json::value& each : data->get_array()) {
        const json::object* metadata = each.is_object() ? object_at(each.get_object(), "metadata") : nullptr;
        if (metadata == nullptr || text_at(*metadata, name_member) != name) continue;
        std::string id = id_at(each.get_object(), "id");
        if (!id.empty()) co_return std::move(id);
    }
    co_return std::nullopt;
}

awaitable<std::optional<std::vector<BatchService::Answer>>> OpenAiBatches::collect(std::string id) {
    Call look;
    look.path = "/batches/" + id;
    const std::string told = co_await ask(std::move(look));
    const json::object batch = parsed(told, host_);
    const std::string status = text_at(batch, "status");
    if (std::find(std::begin(ends), std::end(ends), status) == std::end(ends)) co_return std::nullopt;
    std::vector<Answer> answers;
    const std::string file = id_at(batch, "output_file_id");
    if (!file.empty()) {
        Call fetch;
        fetch.path = "/files/" + file + "/content";
        const std::string lines = co_await ask(std::move(fetch));
        std::size_t count = 0;
        for (std::string_view left = lines; !left.empty();) {
            const std::string_view line = left.substr(0, left.find('\n'));
            left.remove_prefix(std::min(left.size(), line.size() + 1));
            auto answer = read_batch_line(line);
            if (answer) answers.push_back(std::move(*answer));
            if (++count % rows_at_once == 0) co_await let_others_run();
        }
    }
    co_return std::move(answers);
}

awaitable<void> OpenAiBatches::cancel(std::string id) {
    Call call;
    call.method = net::Method::post;
    call.path = "/batches/" + id + "/cancel";
    co_await ask(std::move(call));
}

}  // namespace stele::llm
