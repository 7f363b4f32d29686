// Agent files: GET and POST /v1/agents/{agent_id}/export, POST /v1/agents/import.
#include "runtime/agent_files.hpp"
#include "api/route.hpp"
#include "base/ids.hpp"
#include "base/json_indenter.hpp"
#include "base/json_text.hpp"
#include "net/body_spool.hpp"
#include "net/multipart.hpp"

namespace stele::api {
namespace {

using runtime::AgentFiles;
using runtime::ExportOptions;
using Messages = ExportOptions::Messages;

Messages messages_wanted(const Query& query, bool scrub) {
    const std::string word = query.text("messages").value_or("context");
    if (word != "all" && word != "context" && word != "none")
        throw invalid_field("query.messages", "must be one of: all, context, none");
    if (scrub || word == "none") return Messages::none;
    return word == "all" ? Messages::all : Messages::context;
}

// The older npm client reads a file as a text within JSON, and fails on an object.
bool reads_text(const Request& request) {
    const std::string* language = request.http.headers.find("X-Fern-Language");
    return language != nullptr && *language == "JavaScript";
}

std::string within_json_string(std::string_view piece) {
    std::string quoted = json_string(piece);
    return quoted.substr(1, quoted.size() - 2);
}

awaitable<Response> export_of(Services& services, const Request& request, std::string agent_id, ExportOptions options) {
    const bool legacy = request.query.flag("use_legacy_format").value_or(false);
    const std::int64_t max_steps = request.query.integer("max_steps").value_or(-1);
    AgentFiles::Export prepared =
        co_await services.agent_files.prepare_export(request.organization_id, std::move(agent_id), std::move(options));
    const bool as_text = reads_text(request);
    const auto what = std::make_shared<const AgentFiles::Export>(std::move(prepared));
    const AgentFiles& files = services.agent_files;
    Response response;
    response.producer = [&files, what, as_text, legacy, max_steps](net::BodyWriter& out) -> awaitable<void> {
        JsonIndenter indenter;
        std::string quote = as_text ? "\"" : "";
        if (as_text) co_await out.write(quote);
        const auto write = [&](std::string piece) -> awaitable<void> {
            std::string lines;
            indenter.add(piece, lines);
            if (as_text) lines = within_json_string(lines);
            co_await out.write(std::move(lines));
        };
        if (legacy)
            co_await files.write_legacy(*what, max_steps, write);
        else
            co_await files.write(*what, write);
        if (as_text) co_await out.write(quote);
    };
    co_return response;
}

awaitable<Response> export_by_query(Services& services, const Request& request, std::string agent_id) {
    ExportOptions options;
    options.messages = messages_wanted(request.query, request.query.flag("scrub_messages").value_or(false));
    options.conversation_id = request.query.text("conversation_id").value_or("");
    return export_of(services, request, std::move(agent_id), std::move(options));
}

awaitable<Response> export_file(Services& services, const Request& request) {
    return export_by_query(services, request, request.path_id("agent_id", "agent"));
}

// The seed names the agent in the query.
awaitable<Response> export_named(Services& services, const Request& request) {
    const std::string id = request.query.text("agent_id").value_or("");
    if (!is_id(id, "agent")) throw invalid_field("query.agent_id", "must match 'agent-{uuid4}'");
    return export_by_query(services, request, id);
}

awaitable<Response> export_with_skills(Services& services, const Request& request) {
    auto body = decode_optional<ExportAgentRequest>(request);
    ExportOptions options;
    options.messages = messages_wanted(request.query, body.scrub_messages);
    options.conversation_id = body.conversation_id.value_or("");
    options.skills = std::move(body.skills);
    return export_of(services, request, request.path_id("agent_id", "agent"), std::move(options));
}

bool flag_of(const net::StoredFormPart& part) {
    const std::string& text = part.content;
    if (text == "true" || text == "True" || text == "1") return true;
    if (text == "false" || text == "False" || text == "0" || text.empty()) return false;
    throw invalid_field("body." + part.name, "must be true or false");
}

TextMap secrets_of(const net::StoredFormPart& part) {
    if (part.content.empty() || part.content == "null") return {};
    const auto json = parse_json(part.content);
    if (!json || !json->text.starts_with('{')) throw refused(part.name + " must be a JSON object of texts");
    // What is wrong is named without what was sent: it is a secret.
    try {
        return decode<UpdateAgent>("{\"secrets\":" + json->text + "}").secrets.value_or({});
    } catch (const Error&) {
        throw refused(part.name + " must be a JSON object of texts");
    }
}

using Parts = std::vector<net::StoredFormPart>;

// What the form says besides the file.
runtime::ImportOptions options_of(const Request& request, const Parts& parts) {
    runtime::ImportOptions options;
    const auto text = [](const net::StoredFormPart& part, std::optional<std::string>& into) {
        if (!part.content.empty()) into = part.content;
    };
    for (const net::StoredFormPart& part : parts) {
        if (part.name == "name" || part.name == "override_name")
            text(part, options.name);
        else if (part.name == "model" || part.name == "override_model_handle")
            text(part, options.model);
        else if (part.name == "embedding" || part.name == "override_embedding_handle")
            text(part, options.embedding);
        else if (part.name == "project_id")
            text(part, options.project_id);
        else if (part.name == "append_copy_suffix")
            options.append_copy_suffix = flag_of(part);
        else if (part.name == "override_existing_tools")
            options.override_existing_tools = flag_of(part);
        else if (part.name == "strip_messages")
            options.strip_messages = flag_of(part);
        else if (part.name == "secrets" || part.name == "env_vars_json")
            options.secrets = secrets_of(part);
    }
    const std::string* embedding = request.http.headers.find("x-override-embedding-model");
    if (embedding != nullptr && !embedding->empty() && !options.embedding) options.embedding = *embedding;
    if (request.project_id) options.project_id = *request.project_id;
    return options;
}

awaitable<Response> import_file(Services& services, const Request& request) {
    runtime::AgentFileSource source;
    if (request.http.large_body)
        source.bytes = request.http.large_body;
    else
        source.bytes = std::make_shared<TextBytes>(request.body());
    const std::string* type = request.http.headers.find("Content-Type");
    std::function<Parts()> find_parts = [bytes = source.bytes, kind = type == nullptr ? std::string() : *type] {
        return net::parse_form(kind, *bytes);
    };
    Parts parts;
    if (request.http.large_body)
        parts = co_await services.agent_files.workers().run(std::move(find_parts));
    else
        parts = find_parts();
    const auto file = std::find_if(parts.rbegin(), parts.rend(), [](const net::StoredFormPart& part) {
        return part.name == "file" || part.name == "upload";
    });
    if (file == parts.rend()) throw invalid_field("body.file", "is required");
    source.offset = file->offset;
    source.size = file->size;
    runtime::ImportOptions options = options_of(request, parts);
    ImportedAgents made;
    std::optional<std::string> missing;
    try {
        made.agent_ids = co_await services.agent_files.import(request.organization_id, request.user_id,
                                                              std::move(source), std::move(options));
    } catch (const Error& error) {
        if (error.code != ErrorCode::not_found && error.code != ErrorCode::conflict) throw;
        missing = error.what();
    }
    if (missing) throw refused(*missing);
    co_return answer(made);
}

constexpr std::string_view export_query =
    "use_legacy_format:boolean, conversation_id, scrub_messages:boolean, max_steps:integer, messages";
constexpr std::string_view named_export_query =
    "agent_id!, use_legacy_format:boolean, conversation_id, scrub_messages:boolean, max_steps:integer, messages";

}  // namespace

std::span<const Route> agent_file_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/export", export_file, "agents.export_file", "", "AgentExport",
         export_query},
        {Method::get, "/v1/agents/export", export_named, "agents.export_file_named", "", "AgentExport",
         named_export_query},
        {Method::post, "/v1/agents/{agent_id}/export", export_with_skills, "agents.export_with_skills",
         "ExportAgentRequest?", "AgentFile", "messages"},
        {Method::post,
         "/v1/agents/import",
         import_file,
         "agents.import_file",
         "multipart/form-data",
         "ImportedAgents",
         {},
         Trait::large_body},
    };
    return routes;
}

}  // namespace stele::api
