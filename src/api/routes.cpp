#include "api/route.hpp"

namespace stele::api {

const std::vector<Route>& all_routes() {
    static const std::vector<Route> routes = [] {
        std::vector<Route> all;
        for (const auto& table : {access_token_routes(),
                                  account_metadata_routes(),
                                  admin_key_routes(),
                                  admin_org_routes(),
                                  admin_user_routes(),
                                  agent_file_routes(),
                                  agent_link_routes(),
                                  agent_routes(),
                                  agent_search_routes(),
                                  batch_routes(),
                                  block_history_routes(),
                                  block_routes(),
                                  chat_completion_routes(),
                                  compaction_routes(),
                                  conversation_call_routes(),
                                  conversation_message_routes(),
                                  conversation_routes(),
                                  device_routes(),
                                  documentation_routes(),
                                  feed_routes(),
                                  feed_subscription_routes(),
                                  git_routes(),
                                  group_routes(),
                                  health_routes(),
                                  home_routes(),
                                  identity_link_routes(),
                                  identity_routes(),
                                  internal_routes(),
                                  internal_template_routes(),
                                  job_routes(),
                                  mcp_by_name_routes(),
                                  mcp_oauth_routes(),
                                  mcp_server_routes(),
                                  memory_file_routes(),
                                  message_capture_routes(),
                                  message_edit_routes(),
                                  message_routes(),
                                  message_search_routes(),
                                  metrics_routes(),
                                  model_call_routes(),
                                  model_catalog_routes(),
                                  model_proxy_routes(),
                                  model_routes(),
                                  openapi_routes(),
                                  provider_routes(),
                                  pipeline_routes(),
                                  project_routes(),
                                  reflection_routes(),
                                  repository_routes(),
                                  run_cancel_routes(),
                                  run_routes(),
                                  run_stream_routes(),
                                  sandbox_config_routes(),
                                  sandbox_routes(),
                                  schedule_routes(),
                                  shared_agent_routes(),
                                  step_routes(),
                                  tag_routes(),
                                  template_by_id_routes(),
                                  template_routes(),
                                  tool_routes(),
                                  tool_run_routes(),
                                  trash_routes()})
            all.insert(all.end(), table.begin(), table.end());
        return all;
    }();
    return routes;
}

}  // namespace stele::api
