#include "api/route.hpp"
#include "api/terminal_schemas.hpp"

#include "base/json_text.hpp"
#include "domain/access_token.hpp"
#include "domain/account.hpp"
#include "domain/account_metadata.hpp"
#include "domain/agent_file.hpp"
#include "domain/agent_search.hpp"
#include "domain/answer.hpp"
#include "domain/api_key.hpp"
#include "domain/archive.hpp"
#include "domain/batch.hpp"
#include "domain/block_history.hpp"
#include "domain/chat_completion.hpp"
#include "domain/conversation.hpp"
#include "domain/feed.hpp"
#include "domain/file.hpp"
#include "domain/folder.hpp"
#include "domain/generation.hpp"
#include "domain/internal_template.hpp"
#include "domain/mcp_server.hpp"
#include "domain/message_edit.hpp"
#include "domain/message_search.hpp"
#include "domain/message_view.hpp"
#include "domain/passage.hpp"
#include "domain/pipeline.hpp"
#include "domain/project.hpp"
#include "domain/provider.hpp"
#include "domain/run_trace.hpp"
#include "domain/sandbox.hpp"
#include "domain/schedule.hpp"
#include "domain/schema.hpp"
#include "domain/template_request.hpp"
#include "domain/tool_request.hpp"
#include "domain/trash.hpp"

#include <algorithm>
#include <map>

namespace stele::api {
namespace {

template <class T>
void add(std::string& out, std::string_view name, SchemaUse use) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    out += ':';
    append_schema(schema_of<T>(), out, use);
}

// Envelopes of described structs, by reference.
constexpr char envelopes[] =
    R"(,"LettaResponse":{"type":"object","properties":{)"
    R"("messages":{"type":"array","items":{"$ref":"#/components/schemas/LettaMessage"}},)"
    R"("stop_reason":{"$ref":"#/components/schemas/StopReasonMessage"},)"
    R"("usage":{"$ref":"#/components/schemas/UsageStatistics"},"logprobs":{},"turns":{}},)"
    R"("required":["messages","stop_reason","usage","logprobs","turns"]},)"
    R"("AgentExport":{"anyOf":[{"$ref":"#/components/schemas/AgentFile"},{"type":"object",)"
    R"("properties":{"version":{"type":"string"},"agent_type":{"type":"string"},"llm_config":{},"core_memory":{},)"
    R"("messages":{},"tools":{}},"required":["version","agent_type","llm_config","core_memory","messages","tools"]},{"type":"string"}]},)"
    R"("Error":{"type":"object","properties":{"error":{"anyOf":[{"$ref":"#/components/schemas/ModelError"},)"
    R"({"$ref":"#/components/schemas/ChatError"}]},"detail":{}},"required":["detail"]},)"
    R"("MCPServerConfigs":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/MCPServerConfig"}},)"
    R"("LettaStreamingResponse":{"anyOf":[{"$ref":"#/components/schemas/LettaMessage"},)"
    R"({"$ref":"#/components/schemas/Ping"},{"$ref":"#/components/schemas/StopReasonMessage"},)"
    R"({"$ref":"#/components/schemas/UsageStatistics"},{"$ref":"#/components/schemas/ErrorMessage"}]})";

std::string schemas() {
    std::string out = "{";
    add<AgentFile>(out, "AgentFile", SchemaUse::answer);
    add<ExportAgentRequest>(out, "ExportAgentRequest", SchemaUse::request);
    add<ImportedAgents>(out, "ImportedAgents", SchemaUse::answer);
    add<CreateAgent>(out, "CreateAgent", SchemaUse::request);
    add<UpdateAgent>(out, "UpdateAgent", SchemaUse::request);
    add<ResetMessages>(out, "ResetMessages", SchemaUse::request);
    add<CreateBlock>(out, "CreateBlock", SchemaUse::request);
    add<BlockUpdate>(out, "BlockUpdate", SchemaUse::request);
    add<MessageRequest>(out, "MessageRequest", SchemaUse::request);
    add<ModifyApprovalRequest>(out, "ModifyApprovalRequest", SchemaUse::request);
    add<StepFeedback>(out, "StepFeedback", SchemaUse::request);
    add<CancelRequest>(out, "CancelRequest", SchemaUse::request);
    add<RetrieveStream>(out, "RetrieveStreamRequest", SchemaUse::request);
    add<MessageEdit>(out, "MessageEdit", SchemaUse::request);
    add<DeletedMessages>(out, "DeletedMessages", SchemaUse::answer);
    add<CompactionRequest>(out, "CompactionRequest", SchemaUse::request);
    add<CreateConversation>(out, "CreateConversation", SchemaUse::request);
    add<UpdateConversation>(out, "UpdateConversation", SchemaUse::request);
    add<ConversationMessageRequest>(out, "ConversationMessageRequest", SchemaUse::request);
    add<ConversationCompactionRequest>(out, "ConversationCompactionRequest", SchemaUse::request);
    add<Conversation>(out, "Conversation", SchemaUse::answer);
    add<GroupCreate>(out, "GroupCreate", SchemaUse::request);
    add<GroupUpdate>(out, "GroupUpdate", SchemaUse::request);
    add<Group>(out, "Group", SchemaUse::answer);
    add_terminal_schemas(out);
    add<MessageSearchRequest>(out, "MessageSearchRequest", SchemaUse::request);
    add<MessageSearchResult>(out, "MessageSearchResult", SchemaUse::answer);
    add<SearchAllMessagesRequest>(out, "SearchAllMessagesRequest", SchemaUse::request);
    add<MessageListResult>(out, "MessageListResult", SchemaUse::answer);
    add<CreateMcpServer>(out, "CreateMCPServerRequest", SchemaUse::request);
    add<UpdateMcpServer>(out, "UpdateMCPServerRequest", SchemaUse::request);
    add<McpServerAnswer>(out, "MCPServer", SchemaUse::answer);
    add<McpServerConfig>(out, "MCPServerConfigRequest", SchemaUse::request);
    add<UpdateMcpServerByName>(out, "UpdateMCPServerByName", SchemaUse::request);
    add<McpServerConfigAnswer>(out, "MCPServerConfig", SchemaUse::answer);
    add<McpToolReference>(out, "MCPToolReference", SchemaUse::request);
    add<McpExecuteAnswer>(out, "MCPExecuteAnswer", SchemaUse::answer);
    add<McpResync>(out, "MCPResync", SchemaUse::answer);
    add<McpTool>(out, "MCPTool", SchemaUse::answer);
    add<McpOauthAnswer>(out, "MCPOAuthAnswer", SchemaUse::answer);
    add<McpClientDocument>(out, "MCPClientDocument", SchemaUse::answer);
    add<McpTestAnswer>(out, "MCPTestAnswer", SchemaUse::answer);
    add<GenerateRequest>(out, "GenerateRequest", SchemaUse::request);
    add<GenerateResponse>(out, "GenerateResponse", SchemaUse::answer);
    add<ChatCompletionRequest>(out, "ChatCompletionRequest", SchemaUse::request);
    add<ChatCompletion>(out, "ChatCompletion", SchemaUse::answer);
    add<CompactionResponse>(out, "CompactionResponse", SchemaUse::answer);
    add<AgentSearch>(out, "AgentSearch", SchemaUse::request);
    add<FoundAgents>(out, "FoundAgents", SchemaUse::answer);
    add<AgentCount>(out, "AgentCount", SchemaUse::answer);
    add<AgentState>(out, "AgentState", SchemaUse::answer);
    add<AgentMemory>(out, "AgentMemory", SchemaUse::answer);
    add<ContextWindowOverview>(out, "ContextWindowOverview", SchemaUse::answer);
    add<BlockResponse>(out, "BlockResponse", SchemaUse::answer);
    add<BlockVersion>(out, "BlockVersion", SchemaUse::answer);
    add<BlockDiff>(out, "BlockDiff", SchemaUse::answer);
    add<BlockRestore>(out, "BlockRestore", SchemaUse::request);
    add<TrashItem>(out, "TrashItem", SchemaUse::answer);
    add<Archive>(out, "Archive", SchemaUse::answer);
    add<ArchiveCreateRequest>(out, "ArchiveCreateRequest", SchemaUse::request);
    add<ArchiveUpdateRequest>(out, "ArchiveUpdateRequest", SchemaUse::request);
    add<PassageCreateRequest>(out, "PassageCreateRequest", SchemaUse::request);
    add<PassageBatchCreateRequest>(out, "PassageBatchCreateRequest", SchemaUse::request);
    add<PassageUpdate>(out, "PassageUpdate", SchemaUse::request);
    add<PassageSearchRequest>(out, "PassageSearchRequest", SchemaUse::request);
    add<PassageSearchResult>(out, "PassageSearchResult", SchemaUse::answer);
    add<CreateArchivalMemory>(out, "CreateArchivalMemory", SchemaUse::request);
    add<ArchivalMemorySearchResponse>(out, "ArchivalMemorySearchResponse", SchemaUse::answer);
    add<SearchCacheWarmRequest>(out, "SearchCacheWarmRequest", SchemaUse::request);
    add<SearchCacheWarmed>(out, "SearchCacheWarmed", SchemaUse::answer);
    add<Identity>(out, "Identity", SchemaUse::answer);
    add<IdentityCreate>(out, "IdentityCreate", SchemaUse::request);
    add<IdentityProperty>(out, "IdentityProperty", SchemaUse::request);
    add<IdentityUpdate>(out, "IdentityUpdate", SchemaUse::request);
    add<Tool>(out, "Tool", SchemaUse::answer);
    add<ToolCreate>(out, "ToolCreate", SchemaUse::request);
    add<ToolUpdate>(out, "ToolUpdate", SchemaUse::request);
    add<ToolRunFromSource>(out, "ToolRunFromSource", SchemaUse::request);
    add<ToolReturnMessage>(out, "ToolReturnMessage", SchemaUse::answer);
    add<ToolExecuteRequest>(out, "ToolExecuteRequest", SchemaUse::request);
    add<ToolExecutionResult>(out, "ToolExecutionResult", SchemaUse::answer);
    add<ToolSearchRequest>(out, "ToolSearchRequest", SchemaUse::request);
    add<ToolSearchResult>(out, "ToolSearchResult", SchemaUse::answer);
    add<CodeInput>(out, "CodeInput", SchemaUse::request);
    add<GenerateToolInput>(out, "GenerateToolInput", SchemaUse::request);
    add<GenerateToolOutput>(out, "GenerateToolOutput", SchemaUse::answer);
    add<SandboxConfig>(out, "SandboxConfig", SchemaUse::answer);
    add<SandboxConfigCreate>(out, "SandboxConfigCreate", SchemaUse::request);
    add<SandboxConfigUpdate>(out, "SandboxConfigUpdate", SchemaUse::request);
    add<LocalSandboxConfig>(out, "LocalSandboxConfig", SchemaUse::request);
    add<SandboxEnvironmentVariable>(out, "SandboxEnvironmentVariable", SchemaUse::answer);
    add<SandboxEnvironmentVariableCreate>(out, "SandboxEnvironmentVariableCreate", SchemaUse::request);
    add<SandboxEnvironmentVariableUpdate>(out, "SandboxEnvironmentVariableUpdate", SchemaUse::request);
    add<LettaMessage>(out, "LettaMessage", SchemaUse::answer);
    add<MessageHead>(out, "Ping", SchemaUse::answer);
    add<StopReasonMessage>(out, "StopReasonMessage", SchemaUse::answer);
    add<UsageStatistics>(out, "UsageStatistics", SchemaUse::answer);
    add<Run>(out, "Run", SchemaUse::answer);
    add<Job>(out, "Job", SchemaUse::answer);
    add<RunUsage>(out, "RunUsage", SchemaUse::answer);
    add<RunMetrics>(out, "RunMetrics", SchemaUse::answer);
    add<TraceSpan>(out, "TraceSpan", SchemaUse::answer);
    add<Step>(out, "Step", SchemaUse::answer);
    add<StepMetrics>(out, "StepMetrics", SchemaUse::answer);
    add<ProviderTrace>(out, "ProviderTrace", SchemaUse::answer);
    add<ModelListing>(out, "ModelListing", SchemaUse::answer);
    add<EmbeddingListing>(out, "EmbeddingListing", SchemaUse::answer);
    add<Health>(out, "Health", SchemaUse::answer);
    add<ProviderAnswer>(out, "Provider", SchemaUse::answer);
    add<ProviderCreate>(out, "ProviderCreate", SchemaUse::request);
    add<ProviderUpdate>(out, "ProviderUpdate", SchemaUse::request);
    add<ProviderCheck>(out, "ProviderCheck", SchemaUse::request);
    add<CreateBatch>(out, "CreateBatch", SchemaUse::request);
    add<BatchJob>(out, "BatchJob", SchemaUse::answer);
    add<LettaBatchMessages>(out, "LettaBatchMessages", SchemaUse::answer);
    add<CreateSchedule>(out, "CreateSchedule", SchemaUse::request);
    add<ScheduleMade>(out, "ScheduleMade", SchemaUse::answer);
    add<ScheduledMessage>(out, "ScheduledMessage", SchemaUse::answer);
    add<ScheduledMessages>(out, "ScheduledMessages", SchemaUse::answer);
    add<ScheduleHistory>(out, "ScheduleHistory", SchemaUse::answer);
    add<ProjectCreate>(out, "ProjectCreate", SchemaUse::request);
    add<Project>(out, "Project", SchemaUse::answer);
    add<Projects>(out, "Projects", SchemaUse::answer);
    add<DeployRequest>(out, "DeployRequest", SchemaUse::request);
    add<TemplateCreate>(out, "TemplateCreate", SchemaUse::request);
    add<TemplateUpdate>(out, "TemplateUpdate", SchemaUse::request);
    add<TemplateSave>(out, "TemplateSave", SchemaUse::request);
    add<TemplateRollback>(out, "TemplateRollback", SchemaUse::request);
    add<TemplateFork>(out, "TemplateFork", SchemaUse::request);
    add<TemplateRename>(out, "TemplateRename", SchemaUse::request);
    add<TemplateDescribe>(out, "TemplateDescribe", SchemaUse::request);
    add<DeploymentMigrate>(out, "DeploymentMigrate", SchemaUse::request);
    add<AgentMigrate>(out, "AgentMigrate", SchemaUse::request);
    add<InternalTemplateAgentCreate>(out, "InternalTemplateAgentCreate", SchemaUse::request);
    add<InternalTemplateBlockCreate>(out, "InternalTemplateBlockCreate", SchemaUse::request);
    add<InternalTemplateGroupCreate>(out, "InternalTemplateGroupCreate", SchemaUse::request);
    add<ListDeploymentEntitiesResponse>(out, "ListDeploymentEntitiesResponse", SchemaUse::answer);
    add<DeleteDeploymentResponse>(out, "DeleteDeploymentResponse", SchemaUse::answer);
    add<TemplateSnapshot>(out, "TemplateSnapshot", SchemaUse::request);
    add<TemplateInfo>(out, "TemplateInfo", SchemaUse::answer);
    add<TemplateList>(out, "TemplateList", SchemaUse::answer);
    add<TemplateVersionList>(out, "TemplateVersionList", SchemaUse::answer);
    add<Deployed>(out, "Deployed", SchemaUse::answer);
    add<TemplateDone>(out, "TemplateDone", SchemaUse::answer);
    add<FileMetadata>(out, "FileMetadata", SchemaUse::answer);
    add<Folder>(out, "Folder", SchemaUse::answer);
    add<OrganizationSourcesStats>(out, "OrganizationSourcesStats", SchemaUse::answer);
    add<Passage>(out, "Passage", SchemaUse::answer);
    add<PaginatedAgentFiles>(out, "PaginatedAgentFiles", SchemaUse::answer);
    add<Source>(out, "Source", SchemaUse::answer);
    add<SourceCreate>(out, "SourceCreate", SchemaUse::request);
    add<SourceUpdate>(out, "SourceUpdate", SchemaUse::request);
    add<Feed>(out, "Feed", SchemaUse::answer);
    add<FeedCreate>(out, "FeedCreate", SchemaUse::request);
    add<FeedList>(out, "FeedList", SchemaUse::answer);
    add<FeedPublish>(out, "FeedPublish", SchemaUse::request);
    add<FeedPublished>(out, "FeedPublished", SchemaUse::answer);
    add<FeedMessageAnswer>(out, "FeedMessageAnswer", SchemaUse::answer);
    add<FeedMessageList>(out, "FeedMessageList", SchemaUse::answer);
    add<FeedSubscription>(out, "FeedSubscription", SchemaUse::answer);
    add<FeedSubscribe>(out, "FeedSubscribe", SchemaUse::request);
    add<FeedUnsubscribe>(out, "FeedUnsubscribe", SchemaUse::request);
    add<FeedSubscriptionUpdate>(out, "FeedSubscriptionUpdate", SchemaUse::request);
    add<FeedCron>(out, "FeedCron", SchemaUse::request);
    add<FeedUpdated>(out, "FeedUpdated", SchemaUse::answer);
    add<FeedSubscriptionList>(out, "FeedSubscriptionList", SchemaUse::answer);
    add<FeedTriggered>(out, "FeedTriggered", SchemaUse::answer);
    add<FeedBackfill>(out, "FeedBackfill", SchemaUse::request);
    add<FeedWorkflow>(out, "FeedWorkflow", SchemaUse::answer);
    add<FeedHistory>(out, "FeedHistory", SchemaUse::answer);
    add<PipelineCreate>(out, "PipelineCreate", SchemaUse::request);
    add<PipelineAnswer>(out, "PipelineAnswer", SchemaUse::answer);
    add<PipelineList>(out, "PipelineList", SchemaUse::answer);
    add<PipelineUpdate>(out, "PipelineUpdate", SchemaUse::request);
    add<PipelineConfig>(out, "PipelineConfig", SchemaUse::request);
    add<PipelinePreview>(out, "PipelinePreview", SchemaUse::request);
    add<PipelineSample>(out, "PipelineSample", SchemaUse::answer);
    add<PipelineSynced>(out, "PipelineSynced", SchemaUse::answer);
    add<PipelineSyncHistory>(out, "PipelineSyncHistory", SchemaUse::answer);
    add<Success>(out, "Success", SchemaUse::answer);
    add<Organization>(out, "Organization", SchemaUse::answer);
    add<OrganizationCreate>(out, "OrganizationCreate", SchemaUse::request);
    add<OrganizationUpdate>(out, "OrganizationUpdate", SchemaUse::request);
    add<User>(out, "User", SchemaUse::answer);
    add<UserCreate>(out, "UserCreate", SchemaUse::request);
    add<UserUpdate>(out, "UserUpdate", SchemaUse::request);
    add<AuthRequest>(out, "AuthRequest", SchemaUse::request);
    add<AuthResponse>(out, "AuthResponse", SchemaUse::answer);
    add<ApiKey>(out, "ApiKey", SchemaUse::answer);
    add<ApiKeyMade>(out, "ApiKeyMade", SchemaUse::answer);
    add<CreateApiKey>(out, "CreateApiKey", SchemaUse::request);
    add<UpdateApiKey>(out, "UpdateApiKey", SchemaUse::request);
    add<AccessToken>(out, "AccessToken", SchemaUse::answer);
    add<AccessTokens>(out, "AccessTokens", SchemaUse::answer);
    add<CreateAccessToken>(out, "CreateAccessToken", SchemaUse::request);
    add<AccountUser>(out, "AccountUser", SchemaUse::answer);
    add<AccountStatus>(out, "AccountStatus", SchemaUse::answer);
    add<AccountBalance>(out, "AccountBalance", SchemaUse::answer);
    add<AccountFeedback>(out, "AccountFeedback", SchemaUse::request);
    add<AccountTelemetry>(out, "AccountTelemetry", SchemaUse::request);
    add<Deleted>(out, "Deleted", SchemaUse::answer);
    add<MemoryVariables>(out, "MemoryVariables", SchemaUse::answer);
    add<ErrorMessage>(out, "ErrorMessage", SchemaUse::answer);
    add<ValidationError>(out, "ValidationError", SchemaUse::answer);
    add<ModelError>(out, "ModelError", SchemaUse::answer);
    add<ChatError>(out, "ChatError", SchemaUse::answer);
    return out + envelopes + "}";
}

std::string schema_reference(std::string_view name) {
    if (name.ends_with("[]"))
        return "{\"type\":\"array\",\"items\":" + schema_reference(name.substr(0, name.size() - 2)) + "}";
    if (name.ends_with("?"))
        return "{\"anyOf\":[" + schema_reference(name.substr(0, name.size() - 1)) + ",{\"type\":\"null\"}]}";
    if (name == "integer" || name == "number" || name == "string" || name == "boolean" || name == "null" ||
        name == "object")
        return "{\"type\":" + json_string(name) + "}";
    if (name == "texts") return R"({"type":"object","additionalProperties":{"type":"string"}})";
    if (name == "date-time") return R"({"type":"string","format":"date-time"})";
    return "{\"$ref\":\"#/components/schemas/" + std::string(name) + "\"}";
}

// "/v1/blocks/{label...}" -> "/v1/blocks/{label}"
std::string document_path(std::string_view path) {
    std::string text(path);
    const std::size_t dots = text.find("...}");
    return dots == std::string::npos ? text : text.erase(dots, 3);
}

void add_parameter(std::string& out, std::string_view name, std::string_view in, const std::string& schema,
                   bool required) {
    if (!out.empty()) out += ',';
    out += "{\"name\":" + json_string(name) + ",\"in\":" + json_string(in) + (required ? ",\"required\":true" : "") +
           ",\"schema\":" + schema + "}";
}

void add_path_parameters(std::string& out, const std::string& path) {
    for (std::size_t begin = path.find('{'); begin != std::string::npos; begin = path.find('{', begin + 1))
        add_parameter(out, path.substr(begin + 1, path.find('}', begin) - begin - 1), "path",
                      schema_reference("string"), true);
}

// "name, tags[], limit:integer"
void add_query_parameters(std::string& out, std::string_view list) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(", "), list.size());
        std::string_view name = list.substr(0, end);
        list.remove_prefix(std::min(end + 2, list.size()));
        const std::size_t colon = std::min(name.find(':'), name.size());
        std::string type(colon < name.size() ? name.substr(colon + 1) : std::string_view("string"));
        name = name.substr(0, colon);
        const bool needed = name.ends_with("!");
        if (needed) name.remove_suffix(1);
        if (name.ends_with("[]")) {
            name.remove_suffix(2);
            type += "[]";
        }
        add_parameter(out, name, "query", schema_reference(type), needed);
    }
}

constexpr std::string_view paging = "before, after, limit:integer, order, ascending:boolean, order_by, sort_by";

std::string content(std::string_view answer) {
    if (answer.find('/') != std::string_view::npos) return "{" + json_string(answer) + ":{}}";
    const std::string schema = ":{\"schema\":" + schema_reference(answer) + "}";
    if (answer == "LettaStreamingResponse") return "{\"text/event-stream\"" + schema + "}";
    return "{\"application/json\"" + schema + "}";
}

std::string response(std::string_view status, std::string_view description, std::string_view answer) {
    return json_string(status) + ":{\"description\":" + json_string(description) +
           (answer.empty() ? std::string() : ",\"content\":" + content(answer)) + "}";
}

const char* status_of(Trait trait) {
    switch (trait) {
        case Trait::created:
            return "201";
        case Trait::accepted:
            return "202";
        case Trait::no_content:
            return "204";
        default:
            return "200";
    }
}

std::string operation_of(const Route& route, const std::string& path) {
    std::string parameters;
    add_path_parameters(parameters, path);
    add_query_parameters(parameters, route.query);
    if (route.trait == Trait::paged) add_query_parameters(parameters, paging);
    std::string out = "{\"operationId\":" + json_string(route.operation) + ",\"parameters\":[" + parameters + "]";
    if (route.trait == Trait::open) out += ",\"security\":[]";
    if (!route.body.empty()) {
        const bool needed = !route.body.ends_with("?");
        const std::string_view name = route.body.substr(0, route.body.size() - (needed ? 0 : 1));
        out += std::string(",\"requestBody\":{\"required\":") + (needed ? "true" : "false") +
               ",\"content\":" + content(name) + "}";
    }
    const char* status = status_of(route.trait);
    return out + ",\"responses\":{" + response(status, "OK", route.answer) + "," +
           response("422", "The request does not fit its schema", "ValidationError") + "," +
           response("default", "Error", "Error") + "}}";
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
    return out +
           "},\"security\":[{\"bearer\":[]}],\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
           "\"scheme\":\"bearer\"}},\"schemas\":" +
           schemas() + "}}";
}

awaitable<Response> openapi(Services& services, const Request&) {
    static const std::string text = document(services.facts.version);
    co_return json_answer(text);
}

}  // namespace

std::span<const Route> openapi_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/openapi.json", openapi, "openapi", "", "application/json"},
    };
    return routes;
}

}  // namespace stele::api
