#pragma once

#include "domain/message.hpp"
#include "domain/run.hpp"

#include <array>

namespace stele {

/// One request of a batch: a message request, and to whom.
struct BatchRequest : MessageRequest {
    std::string agent_id;
};
BOOST_DESCRIBE_STRUCT(BatchRequest, (MessageRequest), (agent_id))
constexpr std::array<std::string_view, 1> required_members(const BatchRequest*) { return {"agent_id"}; }
void check(const BatchRequest& request, Problems& problems);

/// Body of POST /v1/messages/batches.
struct CreateBatch {
    std::vector<BatchRequest> requests;
    std::optional<std::string> callback_url;
};
BOOST_DESCRIBE_STRUCT(CreateBatch, (), (requests, callback_url))
constexpr std::array<std::string_view, 1> required_members(const CreateBatch*) { return {"requests"}; }
void check(const CreateBatch& request, Problems& problems);

/// How many requests of a batch have come to which end.
struct BatchCounts {
    std::int64_t total = 0, completed = 0, failed = 0, cancelled = 0;
};
BOOST_DESCRIBE_STRUCT(BatchCounts, (), (total, completed, failed, cancelled))

struct BatchMetadata {
    std::string job_type = "batch_messages";
    BatchCounts counts;
};
BOOST_DESCRIBE_STRUCT(BatchMetadata, (), (job_type, counts))

/// Many requests that are worked on one after another, a few at once.
struct BatchJob {
    std::string id;  ///< "job-<uuid>"
    std::optional<std::string> user_id;
    std::string status = "running";  ///< completed, failed, cancelled or expired in the end
    std::string job_type = "batch";
    Timestamp created_at{};
    std::optional<Timestamp> updated_at;
    std::optional<Timestamp> completed_at;
    std::optional<StopReason> stop_reason;
    BatchMetadata metadata;
    std::optional<bool> background;
    std::optional<std::string> agent_id;
    std::optional<std::string> callback_url;
    std::optional<Timestamp> callback_sent_at;
    std::optional<std::int64_t> callback_status_code;
    std::optional<std::string> callback_error;
    std::optional<std::int64_t> ttft_ns;
    std::optional<std::int64_t> total_duration_ns;
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
};
BOOST_DESCRIBE_STRUCT(BatchJob, (),
                      (id, user_id, status, job_type, created_at, updated_at, completed_at, stop_reason, metadata,
                       background, agent_id, callback_url, callback_sent_at, callback_status_code, callback_error,
                       ttft_ns, total_duration_ns, created_by_id, last_updated_by_id))

/// Answer of GET /v1/messages/batches/{batch_id}/messages: stored messages (internal_message_json).
struct LettaBatchMessages {
    std::vector<Json> messages;
};
BOOST_DESCRIBE_STRUCT(LettaBatchMessages, (), (messages))

}  // namespace stele
