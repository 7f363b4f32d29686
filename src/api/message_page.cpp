#include "api/message_page.hpp"

#include "base/let_others_run.hpp"
#include "storage/message_repository.hpp"

#include <algorithm>

namespace stele::api {

boost::asio::awaitable<std::vector<Message>> page_that_shows(const Services& services, std::string organization_id,
                                                             storage::MessageFilter filter, storage::Page page,
                                                             const ViewOptions& view) {
    for (;;) {
        std::vector<Message> messages = co_await services.messages.list(organization_id, filter, page);
        const bool shows = std::any_of(messages.begin(), messages.end(),
                                       [&](const Message& message) { return !expand(message, view).empty(); });
        if (shows || messages.empty()) co_return messages;
        if (page.ascending)
            page.after = messages.back().id;
        else
            page.before = messages.front().id;
    }
}

boost::asio::awaitable<Response> message_list(std::vector<Message> messages, const ViewOptions& view) {
    std::string json = "[";
    for (std::size_t i = 0; i < messages.size(); ++i) {
        for (const LettaMessage& shown : expand(messages[i], view)) {
            if (json.size() > 1) json += ',';
            encode(shown, json);
        }
        if ((i + 1) % rows_at_once == 0) co_await let_others_run();
    }
    json += ']';
    co_return json_answer(std::move(json));
}

// The newest message first, its parts in their natural order: they share its id.
std::vector<LettaMessage> newest_first(std::vector<LettaMessage> messages) {
    std::reverse(messages.begin(), messages.end());
    for (auto begin = messages.begin(); begin != messages.end();) {
        const std::string& id = head_of(*begin).id;
        const auto end =
            std::find_if(begin, messages.end(), [&](const LettaMessage& each) { return head_of(each).id != id; });
        std::reverse(begin, end);
        begin = end;
    }
    return messages;
}

}  // namespace stele::api
