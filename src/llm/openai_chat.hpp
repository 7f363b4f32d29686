#pragma once

#include "base/secret.hpp"
#include "llm/provider.hpp"
#include "llm/quirks.hpp"
#include "llm/refusals.hpp"
#include "net/client.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace stele::llm {

/// Where a server is and how long to be patient with it.
struct ChatEndpoint {
    std::string base_url;               ///< as normalised by base_url_of
    Secret key;                         ///< empty: none is sent
    std::string key_scheme = "Bearer";  ///< "Bearer" or "Api-Key"
    Quirks quirks;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds silence_timeout{600'000};  ///< of a stream: to the first byte and between two
    std::chrono::milliseconds answer_timeout{600'000};   ///< for an answer that is not streamed
    std::chrono::milliseconds total_timeout{3'600'000};
    int attempts_max = 3;
    bool batches = false;  ///< the server has batches like OpenAI's
};

/// `text` in the form "scheme://host[:port]/path" without a slash at the end: with or without http://, with or without
/// /v1, with a trailing slash or the whole path of chat/completions. A URL without a path gets /v1; with
/// `below_v1` any URL that does not end in a version, since such servers have their API nowhere else.
std::string base_url_of(std::string_view text, bool below_v1 = false);

/// Chat-completions protocol: OpenAI, and every server that imitates it (Ollama, vLLM, LM Studio, ...).
/// Source: OpenAI API reference, "Chat completions", 2025-06; deviations of imitators are listed at Quirks.
class OpenAiChat final : public Provider {
public:
    OpenAiChat(net::HttpClient& client, ChatEndpoint endpoint);

    boost::asio::awaitable<ModelAnswer> complete(ModelRequest request, DeltaSink* sink) override;
    std::string request_json(const ModelRequest& request, bool stream) const override;
    BatchService* batches() override { return batches_.get(); }
    ModelAnswer read_answer(std::string_view body) const override;

private:
    struct Call;

    Refusals known_refusals(const std::string& model) const;
    bool weaken(Call& call) const;
    void remember_refusals(Call& call);

    boost::asio::awaitable<ModelAnswer> attempt(Call& call);
    boost::asio::awaitable<ModelAnswer> read_stream(Call& call, net::ClientStream& stream);
    ModelAnswer whole_answer(std::string_view body, const std::string& model) const;

    net::HttpClient& client_;
    ChatEndpoint endpoint_;
    std::string host_;
    std::unique_ptr<BatchService> batches_;
    mutable std::mutex mutex_;
    std::map<std::string, Refusals, std::less<>> refusals_;  ///< by model; under the mutex
};

}  // namespace stele::llm
