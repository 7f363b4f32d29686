#include "llm/model_server.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "llm/anthropic_models.hpp"
#include "net/url.hpp"

#include <algorithm>

namespace stele::llm {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t unknown_window = 30'000;
constexpr std::int64_t unknown_dimension = 1'536;
constexpr std::int64_t output_tokens_max = 16'384;
constexpr int pages_max = 10;
constexpr auto listing_timeout = std::chrono::seconds(5);

// "http://host:11434/v1" -> "http://host:11434": the native APIs live beside /v1.
std::string root_of(const std::string& base_url) {
    return base_url.ends_with("/v1") ? base_url.substr(0, base_url.size() - 3) : base_url;
}

Error refusal(int status, const std::string& url) {
    const std::string answered = " answered with status " + std::to_string(status);
    if (status == 401 || status == 403) {
        Error error(ErrorCode::model_failed, url + answered + ": it does not take this API key");
        error.type = "llm_authentication";
        error.final = true;
        return error;
    }
    return Error(ErrorCode::unavailable,
                 url + answered + (status == 404 ? ": there is no such path; the base URL may be another one" : ""));
}

}  // namespace

ModelServer::ModelServer(net::HttpClient& client, EndpointConfig config, const ModelServerOptions& options)
    : client_(client), config_(std::move(config)) {
    const ProviderKind* kind = find_provider_kind(config_.kind);
    if (kind == nullptr)
        throw Error(ErrorCode::invalid_argument, "There is no kind of provider called '" + config_.kind + "'");
    kind_ = *kind;
    base_url_ = base_url_of(config_.base_url, kind->below_v1);
    ChatEndpoint endpoint;
    endpoint.base_url = base_url_;
    endpoint.key = config_.key;
    endpoint.key_scheme = kind->key_scheme;
    endpoint.quirks = kind->quirks;
    endpoint.batches = options.batches && config_.batches.value_or(kind->batches && base_url_ == kind->default_url);
    endpoint.silence_timeout = options.silence_timeout;
    endpoint.answer_timeout = options.answer_timeout;
    const auto protocol =
        kind->listing == Listing::ollama ? ServerEmbedder::Protocol::ollama : ServerEmbedder::Protocol::openai;
    embedder_ = std::make_unique<ServerEmbedder>(client, endpoint, protocol, options.workers);
    provider_ = std::make_unique<OpenAiChat>(client, std::move(endpoint));
}

bool ModelServer::offers(const ListedModel& model) const {
    return !base_url_.starts_with("https://api.openai.com/") || is_official_chat_model(model.id);
}

std::shared_ptr<const ModelListing> ModelServer::listing_of(const std::string& id,
                                                            std::optional<std::int64_t> window) const {
    auto listing = std::make_shared<ModelListing>();
    listing->handle = config_.name + "/" + id;
    listing->name = listing->display_name = listing->model = id;
    listing->provider_type = config_.kind;
    if (!talks()) listing->model_endpoint_type = config_.kind;
    listing->provider_name = config_.name;
    listing->provider_category = config_.organization_id.empty() ? "base" : "byok";
    listing->model_endpoint = base_url_;
    if (!window) window = config_.context_window;
    if (!window) window = known_context_window(id.substr(id.rfind('/') + 1));
    listing->context_window = listing->max_context_window = window.value_or(unknown_window);
    listing->max_tokens =
        std::min<std::int64_t>(output_tokens_max, std::max<std::int64_t>(listing->context_window / 2, 1));
    return listing;
}

EmbeddingListing ModelServer::embedding_of(const ListedModel& model) const {
    EmbeddingListing listing;
    listing.handle = config_.name + "/" + model.id;
    listing.name = listing.display_name = listing.embedding_model = model.id;
    listing.provider_type = config_.kind;
    listing.provider_name = config_.name;
    listing.embedding_endpoint = base_url_;
    listing.embedding_dim =
        model.embedding_dim ? *model.embedding_dim : known_embedding_dim(model.id).value_or(unknown_dimension);
    return listing;
}

awaitable<std::string> ModelServer::get(std::string url, std::string body) const {
    net::ClientRequest request;
    request.method = body.empty() ? net::Method::get : net::Method::post;
    request.url = url;
    request.body = std::move(body);
    if (kind_.listing == Listing::anthropic) {
        request.headers.add("x-api-key", std::string(config_.key.reveal()));
        request.headers.add("anthropic-version", anthropic_version);
    } else if (!config_.key.empty()) {
        request.headers.add("Authorization", std::string(kind_.key_scheme) + " " + config_.key.reveal());
    }
    request.connect_timeout = request.head_timeout = request.idle_timeout = request.total_timeout = listing_timeout;
    std::string failure;
    net::ClientResponse response;
    try {
        response = co_await client_.send(std::move(request));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error.what();
    }
    if (!failure.empty()) throw Error(ErrorCode::unavailable, url + " can't be asked: " + failure);
    if (response.status != 200) throw refusal(response.status, url);
    co_return std::move(response.body);
}

awaitable<std::vector<ListedModel>> ModelServer::ask_anthropic() const {
    const std::string url = base_url_ + "/models";
    std::vector<ListedModel> models;
    std::string cursor;
    for (int page = 0; page < pages_max; ++page) {
        const std::string body = co_await get(url + "?limit=1000" + cursor, {});
        auto read = read_anthropic_models(body);
        if (!read) throw Error(ErrorCode::unavailable, url + " answered with no list of models");
        models.insert(models.end(), read->models.begin(), read->models.end());
        if (!read->after_id) break;
        cursor = "&after_id=" + *read->after_id;
    }
    co_return models;
}

awaitable<std::vector<ListedModel>> ModelServer::ask_ollama() const {
    const std::string root = root_of(base_url_);
    const std::string tags = co_await get(root + "/api/tags", {});
    const auto names = read_ollama_tags(tags);
    if (!names) throw Error(ErrorCode::unavailable, root + "/api/tags answered with no list of models");
    std::vector<ListedModel> models;
    for (const std::string& name : *names) {
        std::string shown;
        try {
            shown = co_await get(root + "/api/show", "{\"model\":" + json_string(name) + "}");
        } catch (const Error& error) {  // removed a moment ago, or broken: the others are good all the same
            log::warn("models.not_shown", {{"provider", config_.name}, {"model", name}, {"why", error.what()}});
            continue;
        }
        if (auto model = read_ollama_model(name, shown)) models.push_back(std::move(*model));
    }
    co_return models;
}

awaitable<std::vector<ListedModel>> ModelServer::list() const {
    if (kind_.listing == Listing::anthropic) co_return co_await ask_anthropic();
    if (kind_.listing == Listing::ollama) co_return co_await ask_ollama();
    if (kind_.listing == Listing::lm_studio) {
        std::string body;
        try {
            body = co_await get(root_of(base_url_) + "/api/v0/models", {});
        } catch (const Error& error) {  // a version without that API: /v1/models tells less, but it does tell
            if (error.code == ErrorCode::cancelled) throw;
        }
        if (auto models = read_model_list(body)) co_return std::move(*models);
    }
    const std::string body = co_await get(base_url_ + "/models", {});
    auto models = read_model_list(body);
    if (!models) throw Error(ErrorCode::unavailable, base_url_ + "/models answered with no list of models");
    co_return std::move(*models);
}

}  // namespace stele::llm
