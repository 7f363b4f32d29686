#include "domain/batch.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

// They are stored in one commit.
constexpr std::size_t requests_max = 10'000;

}  // namespace

void check(const BatchRequest& request, Problems& problems) {
    check(static_cast<const MessageRequest&>(request), problems);
    if (!request.agent_id.empty() && !is_id(request.agent_id, "agent"))
        problems.add("agent_id", "must match 'agent-{uuid4}'", "string_pattern_mismatch");
}

void check(const CreateBatch& request, Problems& problems) {
    if (request.requests.empty()) problems.add("requests", "must not be empty", "too_short");
    if (request.requests.size() > requests_max)
        problems.add("requests", "must be at most " + std::to_string(requests_max), "too_long");
}

STELE_JSON_READ(CreateBatch)
STELE_JSON_WRITTEN(BatchJob)
STELE_JSON_WRITTEN(LettaBatchMessages)

}  // namespace stele
