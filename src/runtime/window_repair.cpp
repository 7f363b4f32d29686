#include "runtime/window_repair.hpp"

#include "storage/message_repository.hpp"

#include <iterator>

namespace stele::runtime {

boost::asio::awaitable<Repair> repair_window(const storage::MessageRepository& messages, std::string organization_id,
                                             std::string agent_id, std::vector<Message>& context) {
    std::vector<std::string> steps = steps_with_open_calls(context);
    std::vector<Message> returned;
    for (std::string& step : steps) {
        storage::MessageFilter filter;
        filter.agent_id = agent_id;
        filter.step_id = std::move(step);
        filter.role = "tool";
        storage::Page page;
        std::vector<Message> found = co_await messages.list(organization_id, std::move(filter), std::move(page));
        std::move(found.begin(), found.end(), std::back_inserter(returned));
    }
    co_return close_open_calls(context, returned);
}

}  // namespace stele::runtime
