#pragma once

#include "domain/tool_request.hpp"
#include "storage/agent_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/tool_repository.hpp"

namespace stele::tools {
class Sandbox;
}

namespace stele::runtime {

/// Tools that users make: what making, changing and deleting one takes beyond its row. Thread-safe; what it refers to
/// outlives it.
class ToolService {
public:
    struct Parts {
        storage::Database& database;
        const storage::ToolRepository& tools;
        const storage::AgentRepository& agents;
        const storage::IdempotencyRepository& idempotency;
        tools::Sandbox& sandbox;
    };

    explicit ToolService(Parts parts) : parts_(std::move(parts)) {}

    /// Makes the tool, or gives the one of the same name this definition; what `request` leaves out stays then. Throws
    /// Error{invalid_argument} for a source that tells a model too little, a name that is none, and for the name of a
    /// tool that is not the user's. `idempotency_key`: claimed; keeps which tool was made.
    boost::asio::awaitable<Tool> upsert(std::string organization_id, std::string actor, ToolCreate request,
                                        std::optional<std::string> idempotency_key) const;

    /// Changes what `request` holds. New source alone leaves the schema: a client that changes both sends both. Throws
    /// Error{conflict} if somebody else changed the tool meanwhile: then it may be called again.
    boost::asio::awaitable<Tool> update(std::string organization_id, std::string actor, std::string id,
                                        ToolUpdate request) const;

    /// Takes it from all agents too, together with the rules that came with it by itself.
    boost::asio::awaitable<void> remove(std::string organization_id, std::string id) const;

    /// A tool that is called once and not stored.
    boost::asio::awaitable<Tool> from_source(ToolRunFromSource request) const;

    /// {"name", "description", "parameters"} of a source's last function. Throws Error{invalid_argument} with the
    /// reason.
    boost::asio::awaitable<Json> derive(std::string source_code, std::string source_type, Json args_json_schema) const;

private:
    boost::asio::awaitable<Json> schema_for(ToolCreate request) const;

    Parts parts_;
};

}  // namespace stele::runtime
