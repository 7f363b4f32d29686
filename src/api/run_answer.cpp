#include "api/run_answer.hpp"

#include "api/message_answer.hpp"
#include "api/message_page.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"
#include "storage/run_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

constexpr std::int64_t messages_max = 1'000;

// The log knows a little more than the steps do.
awaitable<runtime::RunEnd> end_of_run(const Services& services, std::string organization_id, Run run) {
    if (const auto log = services.runtime.find(organization_id, run.id))
        if (auto end = log->ended()) co_return std::move(*end);
    co_return co_await stored_end(services, std::move(run));
}

}  // namespace

awaitable<Run> find_run(const Services& services, std::string organization_id, std::string run_id) {
    if (const auto log = services.runtime.find(organization_id, run_id)) co_return log->run();
    auto run = co_await services.runs.find(std::move(organization_id), run_id);
    if (!run) throw not_found("Run", run_id);
    co_return std::move(*run);
}

awaitable<std::vector<LettaMessage>> messages_of_run(const Services& services, std::string organization_id, Run run,
                                                     storage::Page page, std::optional<std::string> role) {
    const auto agent = co_await services.agents.find(organization_id, run.agent_id);
    storage::MessageFilter filter;
    filter.run_id = run.id;
    filter.role = std::move(role);
    const bool ascending = page.ascending;
    ViewOptions view = view_of(agent ? agent->agent_type : AgentType::letta_v1_agent);
    if (run.request_config && run.request_config->include_return_message_types)
        view.include_types = &*run.request_config->include_return_message_types;
    const std::vector<Message> messages =
        co_await page_that_shows(services, organization_id, filter, in_time_order(std::move(page)), view);
    std::vector<LettaMessage> shown = expand_all(messages, view);
    if (!ascending) std::reverse(shown.begin(), shown.end());
    co_return shown;
}

awaitable<std::string> result_of(const Services& services, std::string organization_id, Run run) {
    storage::Page page;
    page.ascending = true;
    page.limit = messages_max;
    const std::vector<LettaMessage> messages =
        co_await messages_of_run(services, organization_id, run, std::move(page));
    const runtime::RunEnd end = co_await end_of_run(services, std::move(organization_id), std::move(run));
    co_return letta_response(to_json_array(messages), end.reason, end.usage);
}

awaitable<Run> with_result(const Services& services, std::string organization_id, Run run) {
    if (!keeps_result(run) || run.status != RunStatus::completed) co_return run;
    const std::string result = co_await result_of(services, std::move(organization_id), run);
    run.metadata.text.pop_back();
    run.metadata.text += ",\"result\":" + result + "}";
    co_return run;
}

}  // namespace stele::api
