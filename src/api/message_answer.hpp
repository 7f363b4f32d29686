#pragma once

#include "api/route.hpp"
#include "domain/message.hpp"
#include "domain/message_view.hpp"
#include "domain/run.hpp"
#include "runtime/run_log.hpp"
#include "runtime/turn.hpp"

namespace stele::api {

/// Answers with this header belong to a run, whose id it names.
inline constexpr char run_header[] = "X-Stele-Run-Id";

/// What the one who asked should know beside the answer.
inline constexpr char warning_header[] = "X-Stele-Warning";

struct StreamOptions {
    bool include_pings = true;
    bool background = false;          ///< events are numbered by seq_id
    std::int64_t starting_after = 0;  ///< the number that the reader saw last
};

/// The run as one JSON answer, once it has ended. Throws the run's failure.
awaitable<Response> blocking_answer(std::shared_ptr<runtime::RunLog> log);

/// The run as an event stream: ping, messages, stop_reason, usage_statistics, [DONE]; after a failure stop_reason, an
/// `error` event, [DONE]. A ping after every 20 seconds of silence.
Response stream_answer(std::shared_ptr<runtime::RunLog> log, StreamOptions options);

/// The answer to a message request that was carried out before as run `run_id`: followed if it is still at work, else
/// told from what was stored. As an event stream if `request` wants one.
awaitable<Response> repeat_run(Services& services, const Request& request, std::string run_id);

/// The answer to a message request from its messages, a JSON list.
std::string letta_response(const std::string& messages_json, StopReason reason, const UsageStatistics& usage);

/// How a run that is no longer at work has ended, as far as the store knows.
awaitable<runtime::RunEnd> stored_end(const Services& services, Run run);

/// True if the message request asks for an event stream.
bool wants_stream(const Request& request, const MessageRequest& body);

/// Where messages go.
struct MessageTarget {
    std::string agent_id;
    std::string conversation_id;  ///< empty: the agent's default one
    bool refuse_if_busy = false;  ///< else they wait; what the request or its agent says (double_texting) goes before
};

/// Begins the run that `body` asks for and answers with it; one whose otid was carried out before is told again.
awaitable<Response> send_messages(Services& services, const Request& request, MessageTarget target, MessageRequest body,
                                  bool stream);

/// The turn that `body` asks for.
runtime::TurnRequest turn_of(const Request& request, MessageTarget target, MessageRequest body, bool stream);

/// The types that the query's include_return_message_types names.
std::vector<std::string> wanted_types(const Query& query);

/// The conversation that the word of a query or body means in the store: `default` is the one without an id.
inline std::string stored_conversation_id(std::string word) {
    return word == "default" ? std::string() : std::move(word);
}

/// The system messages among those that a list of one conversation shows, as the next step will send them.
awaitable<void> refresh_system(Services& services, std::string organization_id, std::string agent_id,
                               std::string conversation_id, std::vector<Message>& messages);

/// How the messages of an agent of this type show.
ViewOptions view_of(AgentType type);

}  // namespace stele::api
