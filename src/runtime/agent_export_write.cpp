// Agent files as they are written, while their messages and texts are read from the store.
#include "base/let_others_run.hpp"
#include "domain/image.hpp"
#include "domain/legacy_agent_file.hpp"
#include "runtime/agent_files.hpp"

#include <algorithm>
#include <deque>
#include <set>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using Messages = ExportOptions::Messages;

constexpr std::int64_t messages_at_once = 200;
constexpr std::size_t piece_bytes = 64u << 10;

// Collects compact JSON and passes it on in pieces.
class Pieces {
public:
    explicit Pieces(AgentFiles::Sink sink) : sink_(std::move(sink)) {}
    std::string text;

    awaitable<void> pass_on(bool all) {
        if (text.size() < piece_bytes && !all) co_return;
        std::string piece = std::move(text);
        text.clear();
        co_await sink_(std::move(piece));
    }

private:
    AgentFiles::Sink sink_;
};

// {"a":1} -> {"a":1   and   {"b":2} -> "b":2}
std::string open_end(std::string object) {
    object.pop_back();
    return object;
}
std::string open_begin(const std::string& object) { return object.substr(1); }

}  // namespace

/// Goes through the messages of one agent of an export, some at a time.
class AgentFiles::MessageWalk {
public:
    MessageWalk(const AgentFiles& files, const Export& what, std::size_t agent)
        : files_(files), what_(what), agent_(agent) {}

    /// The next ones, with the ids of the file; none at the end.
    awaitable<std::vector<FileMessage>> next() {
        const Export::Of& of = what_.agents[agent_];
        std::vector<Message> some;
        if (what_.options.messages == Messages::all) {
            if (!ended_) some = co_await page();
        } else {
            const std::size_t end = std::min(at_ + messages_at_once, of.messages.size());
            some.assign(of.messages.begin() + static_cast<std::ptrdiff_t>(at_),
                        of.messages.begin() + static_cast<std::ptrdiff_t>(end));
            at_ = end;
        }
        std::vector<FileMessage> written;
        for (const Message& message : some) {
            FileMessage& each = written.emplace_back(file_message(message, of.timezone));
            if (what_.options.messages == Messages::all)
                each.id = file_message_id(message, agent_, what_.agents.size());
            each.agent_id = of.head.id;
            each.group_id.reset();
        }
        co_await let_others_run();
        co_return written;
    }

private:
    awaitable<std::vector<Message>> page() {
        const Export::Of& of = what_.agents[agent_];
        storage::MessageFilter filter;
        filter.agent_id = of.agent_id;
        filter.conversation_id = agent_ == 0 ? what_.options.conversation_id : std::string();
        storage::Page page;
        page.limit = messages_at_once;
        page.ascending = true;
        if (!after_.empty()) page.after = after_;
        std::vector<Message> some =
            co_await files_.parts_.messages.list(of.organization_id, std::move(filter), std::move(page));
        ended_ = static_cast<std::int64_t>(some.size()) < messages_at_once;
        if (!some.empty()) after_ = some.back().id;
        co_return some;
    }

    const AgentFiles& files_;
    const Export& what_;
    const std::size_t agent_;
    std::size_t at_ = 0;  ///< in the window
    std::string after_;   ///< in the whole history
    bool ended_ = false;
};

awaitable<void> AgentFiles::write(const Export& what, Sink sink) const {
    Pieces out(std::move(sink));
    out.text = "{\"agents\":[";
    for (std::size_t i = 0; i < what.agents.size(); ++i) {
        const Export::Of& of = what.agents[i];
        if (i > 0) out.text += ',';
        out.text += open_end(to_json(of.head)) + ",\"messages\":[";
        bool first = true;
        MessageWalk walk(*this, what, i);
        for (;;) {
            const std::vector<FileMessage> some = co_await walk.next();
            if (some.empty()) break;
            for (const FileMessage& message : some) {
                if (!std::exchange(first, false)) out.text += ',';
                encode(message, out.text);
            }
            co_await out.pass_on(false);
        }
        out.text += "]," + open_begin(to_json(of.tail));
    }
    out.text += "]," + open_begin(open_end(to_json(static_cast<const AgentFileFront&>(what.tail)))) + ",\"files\":[";
    bool first = true;
    for (const auto& [id, described] : what.files) {
        std::optional<std::string> image, text;
        if (is_image_type(described.file_type.value_or(""))) image = co_await parts_.files.bytes(id);
        if (!image) text = co_await parts_.files.text(id);
        if (!std::exchange(first, false)) out.text += ',';
        std::function<std::string()> written = [file = described, image = std::move(image),
                                                text = std::move(text)]() mutable {
            file.content = image ? image_data_url(*file.file_type, *image) : std::move(text);
            return to_json(file);
        };
        out.text += co_await parts_.workers.run(std::move(written));  // tens of megabytes, maybe
        co_await out.pass_on(false);
    }
    out.text += "]," + open_begin(to_json(static_cast<const AgentFileRest&>(what.tail)));
    co_await out.pass_on(true);
}

// Where the last `max_steps` rounds begin, by the number of the message.
awaitable<std::size_t> AgentFiles::first_kept(const Export& what, std::int64_t max_steps) const {
    std::deque<std::size_t> rounds;  // where each began, as far as it may still count
    std::size_t number = 0;
    MessageWalk walk(*this, what, 0);
    for (;;) {
        const std::vector<FileMessage> some = co_await walk.next();
        if (some.empty()) break;
        for (const FileMessage& message : some) {
            if (message.role == MessageRole::user) rounds.push_back(number);
            if (static_cast<std::int64_t>(rounds.size()) > max_steps) rounds.pop_front();
            ++number;
        }
    }
    if (max_steps == 0) co_return number;
    co_return static_cast<std::int64_t>(rounds.size()) < max_steps || rounds.empty() ? 0 : rounds.front();
}

awaitable<void> AgentFiles::write_legacy(const Export& what, std::int64_t max_steps, Sink sink) const {
    const Export::Of& of = what.agents.front();
    const std::set<std::string> window(of.head.in_context_message_ids.begin(), of.head.in_context_message_ids.end());
    std::size_t first = 0;
    if (max_steps >= 0) first = co_await first_kept(what, max_steps);
    const LegacyFrame frame = legacy_frame(of.head, what.tail);
    Pieces out(std::move(sink));
    out.text = frame.before_messages;
    std::string indices;
    std::size_t number = 0, kept = 0;
    MessageWalk walk(*this, what, 0);
    for (;;) {
        const std::vector<FileMessage> some = co_await walk.next();
        if (some.empty()) break;
        for (const FileMessage& message : some) {
            const std::size_t at = number++;
            if (at != 0 && at < first) continue;  // the system message stays
            if (window.contains(message.id)) indices += (indices.empty() ? "" : ",") + std::to_string(kept);
            if (kept++ > 0) out.text += ',';
            out.text += legacy_message(message);
        }
        co_await out.pass_on(false);
    }
    out.text += frame.before_indices + indices + frame.behind_indices;
    co_await out.pass_on(true);
}

}  // namespace stele::runtime
