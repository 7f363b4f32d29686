#include "api/route.hpp"

#include "base/json_text.hpp"
#include "domain/schema.hpp"

#include <map>

namespace stele::api {
namespace {

template <class T>
void add(std::string& out, std::string_view name) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    out += ':';
    append_schema(schema_of<T>(), out);
}

std::string schemas() {
    std::string out = "{";
    add<AgentState>(out, "AgentState");
    add<AgentMemory>(out, "AgentMemory");
    add<CreateAgent>(out, "CreateAgent");
    add<UpdateAgent>(out, "UpdateAgent");
    add<ResetMessages>(out, "ResetMessages");
    add<ContextWindowOverview>(out, "ContextWindowOverview");
    add<Block>(out, "Block");
    add<CreateBlock>(out, "CreateBlock");
    add<BlockUpdate>(out, "BlockUpdate");
    add<Tool>(out, "Tool");
    add<MessageRequest>(out, "MessageRequest");
    add<LettaMessage>(out, "LettaMessage");
    add<StopReasonMessage>(out, "StopReasonMessage");
    add<UsageStatistics>(out, "UsageStatistics");
    add<CompactionRequest>(out, "CompactionRequest");
    add<CompactionResponse>(out, "CompactionResponse");
    add<Run>(out, "Run");
    add<RunUsage>(out, "RunUsage");
    add<RunMetrics>(out, "RunMetrics");
    add<Step>(out, "Step");
    add<StepMetrics>(out, "StepMetrics");
    add<StepFeedback>(out, "StepFeedback");
    add<ProviderTrace>(out, "ProviderTrace");
    add<ModelListing>(out, "ModelListing");
    add<EmbeddingListing>(out, "EmbeddingListing");
    out += R"(,"Health":{"type":"object","properties":{"version":{"type":"string"},"status":{"type":"string"}}})";
    out +=
        R"(,"LettaResponse":{"type":"object","properties":{"messages":{"type":"array","items":{"$ref":"#/components/schemas/LettaMessage"}},)"
        R"("stop_reason":{"$ref":"#/components/schemas/StopReasonMessage"},"usage":{"$ref":"#/components/schemas/UsageStatistics"}}})";
    out += R"(,"Error":{"type":"object","properties":{"detail":{}},"required":["detail"]})";
    return out + "}";
}

std::string schema_reference(std::string_view name) {
    if (name.ends_with("[]"))
        return "{\"type\":\"array\",\"items\":" + schema_reference(name.substr(0, name.size() - 2)) + "}";
    if (name == "integer" || name == "string") return "{\"type\":" + json_string(name) + "}";
    return "{\"$ref\":\"#/components/schemas/" + std::string(name) + "\"}";
}

// "/v1/blocks/{label...}" -> "/v1/blocks/{label}"
std::string document_path(std::string_view path) {
    std::string text(path);
    const std::size_t dots = text.find("...}");
    return dots == std::string::npos ? text : text.erase(dots, 3);
}

std::string parameters_of(const std::string& path) {
    std::string out;
    for (std::size_t begin = path.find('{'); begin != std::string::npos; begin = path.find('{', begin + 1)) {
        const std::string name = path.substr(begin + 1, path.find('}', begin) - begin - 1);
        out += (out.empty() ? "" : ",") + std::string("{\"name\":") + json_string(name) +
               ",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}";
    }
    return out;
}

std::string operation_of(const Route& route, const std::string& path) {
    std::string out =
        "{\"operationId\":" + json_string(route.operation) + ",\"parameters\":[" + parameters_of(path) + "]";
    if (!route.body.empty())
        out +=
            ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":" + schema_reference(route.body) + "}}}";
    out += ",\"responses\":{\"200\":{\"description\":\"OK\"";
    if (!route.answer.empty())
        out += ",\"content\":{\"application/json\":{\"schema\":" + schema_reference(route.answer) + "}}";
    return out +
           "},\"default\":{\"description\":\"Error\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/"
           "components/schemas/Error\"}}}}}}";
}

std::string lower_method(Method method) {
    std::string word(net::to_string(method));
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return word;
}

std::string document(const std::string& version) {
    std::map<std::string, std::string> paths;
    for (const Route& route : all_routes()) {
        const std::string path = document_path(route.path);
        std::string& operations = paths[path];
        operations +=
            (operations.empty() ? "" : ",") + json_string(lower_method(route.method)) + ":" + operation_of(route, path);
    }
    std::string out =
        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Stele\",\"version\":" + json_string(version) + "},\"paths\":{";
    for (const auto& [path, operations] : paths) {
        if (out.back() != '{') out += ',';
        out += json_string(path) + ":{" + operations + "}";
    }
    return out + "},\"components\":{\"schemas\":" + schemas() + "}}";
}

awaitable<Response> openapi(Services& services, const Request&) {
    static const std::string text = document(services.facts.version);
    co_return json_answer(text);
}

}  // namespace

std::span<const Route> openapi_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/openapi.json", openapi, "openapi"},
    };
    return routes;
}

}  // namespace stele::api
