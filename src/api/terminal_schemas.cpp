#include "api/terminal_schemas.hpp"

#include "base/json_text.hpp"
#include "domain/anthropic_request.hpp"
#include "domain/capture.hpp"
#include "domain/conversation_calls.hpp"
#include "domain/conversation_search.hpp"
#include "domain/memory_file.hpp"
#include "domain/reflection.hpp"
#include "domain/schema.hpp"
#include "domain/terminal_listing.hpp"
#include "domain/work_folder.hpp"

namespace stele::api {
namespace {

template <class T>
void add(std::string& out, std::string_view name, SchemaUse use) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    out += ':';
    append_schema(schema_of<T>(), out, use);
}

}  // namespace

void add_terminal_schemas(std::string& out) {
    add<ConversationSearchRequest>(out, "ConversationSearchRequest", SchemaUse::request);
    add<ConversationSearchResult>(out, "ConversationSearchResult", SchemaUse::answer);
    add<EphemeralConversationRequest>(out, "EphemeralConversationRequest", SchemaUse::request);
    add<EphemeralConversation>(out, "EphemeralConversation", SchemaUse::answer);
    add<SummarizeRequest>(out, "SummarizeRequest", SchemaUse::request);
    add<GivenSummary>(out, "GivenSummary", SchemaUse::answer);
    add<CaptureMessagesRequest>(out, "CaptureMessagesRequest", SchemaUse::request);
    add<CapturedMessages>(out, "CapturedMessages", SchemaUse::answer);
    add<AnthropicMessagesRequest>(out, "AnthropicMessagesRequest", SchemaUse::request);
    add<ReflectionConfig>(out, "ReflectionConfig", SchemaUse::answer);
    add<ReflectionUpdate>(out, "ReflectionUpdate", SchemaUse::request);
    add<ReflectionMarkUpdate>(out, "ReflectionMarkUpdate", SchemaUse::request);
    add<ReflectionMark>(out, "ReflectionMark", SchemaUse::answer);
    add<ModelCatalog>(out, "ModelCatalog", SchemaUse::answer);
    add<SharedAgents>(out, "SharedAgents", SchemaUse::answer);
    add<MemoryDirectory>(out, "MemoryDirectory", SchemaUse::answer);
    add<MemoryFileContent>(out, "MemoryFileContent", SchemaUse::answer);
    add<MemoryHistory>(out, "MemoryHistory", SchemaUse::answer);
    add<MemoryRepository>(out, "MemoryRepository", SchemaUse::answer);
    add<MemoryRepositoryCreate>(out, "MemoryRepositoryCreate", SchemaUse::request);
    add<MemoryRepositories>(out, "MemoryRepositories", SchemaUse::answer);
    add<MemoryCommits>(out, "MemoryCommits", SchemaUse::answer);
    add<MountRequest>(out, "MountRequest", SchemaUse::request);
    add<MountedRepositories>(out, "MountedRepositories", SchemaUse::answer);
    add<DeviceRegistration>(out, "DeviceRegistration", SchemaUse::request);
    add<DeviceRegistered>(out, "DeviceRegistered", SchemaUse::answer);
    add<DeviceConnection>(out, "DeviceConnection", SchemaUse::answer);
    add<DeviceConnections>(out, "DeviceConnections", SchemaUse::answer);
    add<DeviceMessages>(out, "DeviceMessages", SchemaUse::request);
    add<DeviceDone>(out, "DeviceDone", SchemaUse::answer);
    add<DeviceStorageKey>(out, "DeviceStorageKey", SchemaUse::answer);
    add<TeleportRequest>(out, "TeleportRequest", SchemaUse::request);
    add<Teleport>(out, "Teleport", SchemaUse::answer);
    add<SandboxCreate>(out, "SandboxCreate", SchemaUse::request);
    add<SandboxStart>(out, "SandboxStart", SchemaUse::request);
    add<SandboxMade>(out, "SandboxMade", SchemaUse::answer);
    add<SandboxList>(out, "SandboxList", SchemaUse::answer);
    add<SandboxFiles>(out, "SandboxFiles", SchemaUse::answer);
}

}  // namespace stele::api
