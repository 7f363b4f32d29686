#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "domain/json.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>

namespace stele::api {

using Method = net::Method;
using Response = net::HttpResponse;
using Handler = boost::asio::awaitable<Response> (*)(Services&, const Request&);
using boost::asio::awaitable;

enum class Trait : std::uint8_t {
    none,
    paged,       ///< takes the paging parameters (page_of)
    created,     ///< answers 201
    accepted,    ///< answers 202
    no_content,  ///< answers 204
    open,        ///< answered without a credential
    large_body,  ///< takes a body that is too large for memory (net::HttpRequest::large_body)
};

/// One operation. `path`: a template under /v1, "{name}" stands for one segment, "{name...}" for the rest of the path;
/// `body` and `answer` are names of the document's schemas, "T[]" for a list, "T?" for one that may be null (or a body
/// that may be missing), "null" for null, "texts" for a
/// map of texts, a media type for a text, "" for none.
/// `query`: the query parameters besides paging, "name, tags[], limit:integer"; a text where no type is named,
/// needed where a "!" ends the name.
struct Route {
    Method method;
    std::string_view path;
    Handler handler;
    std::string_view operation;
    std::string_view body = {};
    std::string_view answer = {};
    std::string_view query = {};
    Trait trait = Trait::none;
};

/// Every operation of the API: the tables of all resources. /openapi.json, the 405s and the coverage test come from it.
const std::vector<Route>& all_routes();

// One table a resource, beside its handlers.
std::span<const Route> agent_file_routes();
std::span<const Route> access_token_routes();
std::span<const Route> account_metadata_routes();
std::span<const Route> admin_key_routes();
std::span<const Route> admin_org_routes();
std::span<const Route> admin_user_routes();
std::span<const Route> agent_folder_routes();
std::span<const Route> agent_routes();
std::span<const Route> agent_link_routes();
std::span<const Route> agent_passage_routes();
std::span<const Route> agent_search_routes();
std::span<const Route> archive_routes();
std::span<const Route> batch_routes();
std::span<const Route> block_history_routes();
std::span<const Route> block_routes();
std::span<const Route> chat_completion_routes();
std::span<const Route> compaction_routes();
std::span<const Route> conversation_call_routes();
std::span<const Route> conversation_message_routes();
std::span<const Route> conversation_routes();
std::span<const Route> device_routes();
std::span<const Route> documentation_routes();
std::span<const Route> feed_routes();
std::span<const Route> feed_subscription_routes();
std::span<const Route> folder_file_routes();
std::span<const Route> folder_routes();
std::span<const Route> git_routes();
std::span<const Route> group_routes();
std::span<const Route> health_routes();
std::span<const Route> home_routes();
std::span<const Route> identity_link_routes();
std::span<const Route> identity_routes();
std::span<const Route> internal_routes();
std::span<const Route> internal_template_routes();
std::span<const Route> job_routes();
std::span<const Route> mcp_by_name_routes();
std::span<const Route> mcp_oauth_routes();
std::span<const Route> mcp_server_routes();
std::span<const Route> memory_file_routes();
std::span<const Route> message_capture_routes();
std::span<const Route> message_edit_routes();
std::span<const Route> message_routes();
std::span<const Route> message_search_routes();
std::span<const Route> metrics_routes();
std::span<const Route> model_call_routes();
std::span<const Route> model_catalog_routes();
std::span<const Route> model_proxy_routes();
std::span<const Route> model_routes();
std::span<const Route> openapi_routes();
std::span<const Route> passage_routes();
std::span<const Route> provider_routes();
std::span<const Route> pipeline_routes();
std::span<const Route> project_routes();
std::span<const Route> reflection_routes();
std::span<const Route> repository_routes();
std::span<const Route> run_cancel_routes();
std::span<const Route> run_routes();
std::span<const Route> run_stream_routes();
std::span<const Route> sandbox_config_routes();
std::span<const Route> sandbox_routes();
std::span<const Route> schedule_routes();
std::span<const Route> shared_agent_routes();
std::span<const Route> source_routes();
std::span<const Route> step_routes();
std::span<const Route> tag_routes();
std::span<const Route> template_by_id_routes();
std::span<const Route> template_routes();
std::span<const Route> tool_routes();
std::span<const Route> tool_run_routes();
std::span<const Route> trash_routes();

/// The body, or the defaults of T where none or null was sent. Throws as decode does.
template <class T>
T decode_optional(const Request& request) {
    return request.body().empty() || request.body() == "null" ? T{} : decode<T>(request.body());
}

/// 200 with this JSON text.
inline Response json_answer(std::string body) {
    Response response;
    response.body = std::move(body);
    return response;
}

/// 200 with `value` as JSON.
template <class T>
Response answer(const T& value) {
    return json_answer(to_json(value));
}

template <class T>
Response answer(const std::vector<T>& values) {
    return json_answer(to_json_array(values));
}

}  // namespace stele::api
