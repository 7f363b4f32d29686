#pragma once

#include "llm/batch_service.hpp"
#include "llm/openai_chat.hpp"

namespace stele::llm {

/// The batches of OpenAI and of who imitates them: a file of requests goes up, a file of answers comes down. Source:
/// OpenAI API reference, "Batch" and "Files", 2025-06.
class OpenAiBatches final : public BatchService {
public:
    OpenAiBatches(net::HttpClient& client, ChatEndpoint endpoint);

    std::size_t requests_max() const override { return 5'000; }   // the provider's: 50,000
    std::size_t bytes_max() const override { return 16u << 20; }  // the provider's: 200 MB
    boost::asio::awaitable<std::string> submit(std::string name, std::vector<Request> requests) override;
    boost::asio::awaitable<std::optional<std::string>> find(std::string name) override;
    boost::asio::awaitable<std::optional<std::vector<Answer>>> collect(std::string id) override;
    boost::asio::awaitable<void> cancel(std::string id) override;

private:
    struct Call {
        net::Method method = net::Method::get;
        std::string path;
        std::string content_type;
        std::string body;
    };

    boost::asio::awaitable<std::string> ask(Call call);
    boost::asio::awaitable<std::string> upload(std::string lines);

    net::HttpClient& client_;
    ChatEndpoint endpoint_;
    std::string host_;
};

/// One line of the file that goes up.
std::string batch_line(const BatchService::Request& request);

/// What a line of the file that comes down holds; nothing if it tells of a failure, or makes no sense.
std::optional<BatchService::Answer> read_batch_line(std::string_view line);

}  // namespace stele::llm
