#include "storage/reflection_repository.hpp"

namespace stele::storage {
namespace {

constexpr Statement upsert{
    "reflection.mark",
    "INSERT INTO reflection_mark (agent_id, conversation_id, organization_id, message_id, position, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agent_id, conversation_id) DO UPDATE SET"
    " message_id = excluded.message_id, position = excluded.position, updated_at = excluded.updated_at"
    " WHERE reflection_mark.position <= excluded.position"};

}  // namespace

void ReflectionRepository::mark(Transaction& transaction, const std::string& organization_id,
                                const std::string& conversation_id, const Message& message, Timestamp at) const {
    transaction.add(upsert, message.agent_id, conversation_id, organization_id, message.id, message.position,
                    to_micros(at));
}

std::vector<Statement> ReflectionRepository::statements() { return {upsert}; }

}  // namespace stele::storage
