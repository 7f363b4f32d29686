#include "api/pipeline_source.hpp"

#include "domain/hosted_error.hpp"
#include "net/client.hpp"
#include "net/url.hpp"

namespace stele::api {
namespace {

constexpr std::chrono::milliseconds patience{20'000};
constexpr std::size_t body_bytes_max = 16u << 20;
constexpr std::size_t texts_max = 10'000;
constexpr std::size_t text_bytes_max = 1u << 20;
constexpr int redirects_max = 3;

Error unreadable(const std::string& what) { return hosted_error(ErrorCode::invalid_argument, "The source " + what); }

awaitable<net::ClientResponse> get(const Services& services, std::string url, std::string host) {
    net::ClientRequest request;
    request.url = std::move(url);
    request.headers.add("User-Agent", "stele");
    request.headers.add("Accept", "application/json, application/x-ndjson");
    request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = patience;
    request.body_bytes_max = body_bytes_max;
    try {
        net::ClientResponse answer = co_await services.egress.send(std::move(request));
        co_return answer;
    } catch (const Error& error) {
        throw unreadable("at " + host + " can't be read: " + error.what());
    }
}

}  // namespace

void demand_source(const ProducerConfig& config, const char* error_code) {
    if (config.type == "slack_channel_reader")
        throw hosted_error(ErrorCode::invalid_argument,
                           "This server has no connection to Slack: publish what is new to the pipeline's feed "
                           "(POST /v1/feeds/{feed_id}/messages), or let a custom_webhook pipeline read an address",
                           error_code);
    if (source_url(config).empty())
        throw hosted_error(ErrorCode::invalid_argument, "producer_config.data.url: there is no address to read",
                           error_code);
}

awaitable<std::vector<std::string>> read_source(const Services& services, std::string url) {
    for (int redirects = 0;; ++redirects) {
        const auto parsed = net::parse_url(url);
        if (!parsed) throw unreadable("needs an http or https address");
        const net::ClientResponse answer = co_await get(services, url, parsed->host);
        const std::string* location = answer.headers.find("Location");
        if (answer.status >= 301 && answer.status <= 308 && location != nullptr && redirects < redirects_max) {
            url = net::resolve_reference(url, *location);
            continue;
        }
        if (answer.status != 200)
            throw unreadable("at " + parsed->host + " answers with status " + std::to_string(answer.status));
        auto texts = source_texts(answer.body);
        if (!texts) throw unreadable("at " + parsed->host + " answers with neither JSON nor a JSON value a line");
        if (texts->size() > texts_max) throw unreadable("at " + parsed->host + " holds more than 10000 texts");
        std::erase_if(*texts, [](const std::string& text) { return text.empty(); });
        for (const std::string& text : *texts)
            if (text.size() > text_bytes_max) throw unreadable("at " + parsed->host + " holds a text above 1 MiB");
        co_return std::move(*texts);
    }
}

}  // namespace stele::api
