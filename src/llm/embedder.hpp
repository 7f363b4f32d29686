#pragma once

#include "base/worker_threads.hpp"
#include "llm/openai_chat.hpp"

namespace stele::llm {

/// Texts to be made into vectors by one model.
struct EmbeddingRequest {
    std::string model;  ///< the server's own id
    std::vector<std::string> texts;
    std::int64_t dimensions = 0;                  ///< of each vector; 0: whatever they have
    std::chrono::milliseconds patience{120'000};  ///< for each answer of the server
};

/// Makes vectors of texts. Thread-safe; a call stays on its coroutine's executor.
class Embedder {
public:
    virtual ~Embedder() = default;

    /// A vector for each text, in order. Blank texts are asked for as a single space, which every server takes. What
    /// the server finds too large at once is asked for in halves; nothing else is asked twice.
    ///
    /// Throws Error{model_failed} with the types of Provider::complete; llm_context_overflow: one text alone is too
    /// long. Cancellation closes the connection.
    virtual boost::asio::awaitable<std::vector<std::vector<float>>> embed(EmbeddingRequest request) = 0;
};

/// The built-in embedding, made at once (hash_embedding.hpp).
class HashEmbedder final : public Embedder {
public:
    boost::asio::awaitable<std::vector<std::vector<float>>> embed(EmbeddingRequest request) override;
};

/// Servers that speak OpenAI's embeddings (POST {base}/embeddings; OpenAI API reference, "Embeddings", 2025-06) or
/// Ollama's own (POST /api/embed; Ollama API documentation, 2025-06).
class ServerEmbedder final : public Embedder {
public:
    enum class Protocol : std::uint8_t { openai, ollama };

    /// `workers`: read large answers; null: they are read at once. What it refers to outlives it.
    ServerEmbedder(net::HttpClient& client, ChatEndpoint endpoint, Protocol protocol, WorkerThreads* workers);

    boost::asio::awaitable<std::vector<std::vector<float>>> embed(EmbeddingRequest request) override;

private:
    struct Batch {
        std::size_t begin = 0, end = 0;
    };

    boost::asio::awaitable<std::vector<std::vector<float>>> ask(const EmbeddingRequest& request, Batch batch) const;
    boost::asio::awaitable<std::string> send(std::string body, const EmbeddingRequest& request) const;

    net::HttpClient& client_;
    ChatEndpoint endpoint_;
    Protocol protocol_;
    WorkerThreads* workers_;
    std::string url_, host_;
};

/// How many texts from `begin` on go into one request: as many as servers take at once, at least one. Pure.
std::size_t batch_end(const std::vector<std::string>& texts, std::size_t begin);

/// The vectors of an answer by OpenAI's or Ollama's protocol, in the order of the request's `count` texts. Throws
/// Error{model_failed} for anything that is not `count` vectors of `dimensions` numbers. Pure.
std::vector<std::vector<float>> read_embeddings(std::string_view body, std::size_t count, std::int64_t dimensions,
                                                const std::string& model, const std::string& host);

/// True for an error that asking for less at once may cure.
bool is_too_large(const Error& error);

}  // namespace stele::llm
