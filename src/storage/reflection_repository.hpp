#pragma once

#include "domain/message.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// How far conversations were gone over by others than the agent's own partners (group.transcript leaves that out).
class ReflectionRepository {
public:
    /// Up to `message`, which is in the conversation (empty: the agent's default one) or shared by it; never backwards.
    void mark(Transaction& transaction, const std::string& organization_id, const std::string& conversation_id,
              const Message& message, Timestamp at) const;

    static std::vector<Statement> statements();
};

}  // namespace stele::storage
