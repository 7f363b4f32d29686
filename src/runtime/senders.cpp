#include "runtime/senders.hpp"

#include "base/ids.hpp"
#include "runtime/turn.hpp"
#include "storage/identity_repository.hpp"

#include <algorithm>

namespace stele::runtime {

boost::asio::awaitable<void> learn_senders(const TurnServices& services, const std::string& organization_id,
                                           const std::vector<Message>& messages, SenderMarks& marks) {
    if (!services.identity_rules.in_prompt) co_return;
    std::vector<std::string> ids;
    for (const Message& message : messages)
        if (message.sender_id && is_id(*message.sender_id, "identity") &&
            marks.emplace(*message.sender_id, std::string()).second)
            ids.push_back(*message.sender_id);
    if (ids.empty()) co_return;
    const std::vector<storage::Sender> senders = co_await services.identities.senders(organization_id, std::move(ids));
    for (const storage::Sender& sender : senders) marks[sender.id] = sender_mark(sender.name, sender.identifier_key);
}

std::string mark_of(const Message& message, const SenderMarks& marks) {
    if (message.role != MessageRole::user || !message.sender_id) return {};
    const auto mark = marks.find(*message.sender_id);
    return mark == marks.end() ? std::string() : mark->second;
}

void write_marks(std::vector<Message>& messages, const SenderMarks& marks) {
    for (Message& message : messages) {
        std::string mark = mark_of(message, marks);
        if (mark.empty()) continue;
        const auto words = std::find_if(message.content.begin(), message.content.end(),
                                        [](const ContentPart& part) { return part.type == "text"; });
        if (words == message.content.end())
            message.content.insert(message.content.begin(), text_part(std::move(mark)));
        else
            words->text = mark + words->text.value_or("");
    }
}

}  // namespace stele::runtime
