#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

// Lists that the terminal client alone asks for; their members are spelled as it reads them.
namespace stele {

/// A model to choose from. Numbers are positive and texts are not empty: the client drops the whole list otherwise.
struct CatalogEntry {
    std::string id;
    std::string handle;
    std::string label;
    std::string brand;  ///< kind of provider
    std::int64_t maxContextWindow = 1;
    std::int64_t contextWindow = 1;
    Patch<std::int64_t> maxOutputTokens;
    std::string description;
    bool isDefault = false;
    bool isFeatured = false;
    bool free = false;
};
BOOST_DESCRIBE_STRUCT(CatalogEntry, (),
                      (id, handle, label, brand, maxContextWindow, contextWindow, maxOutputTokens, description,
                       isDefault, isFeatured, free))

/// Answer of GET /v1/models/catalog.
struct ModelCatalog {
    std::vector<CatalogEntry> models;
};
BOOST_DESCRIBE_STRUCT(ModelCatalog, (), (models))

/// Who made an agent.
struct AgentCreator {
    std::string id;
    std::optional<std::string> name;
    std::optional<std::string> email;
    std::optional<std::string> image_url;
    bool is_api_created = false;
};
BOOST_DESCRIBE_STRUCT(AgentCreator, (), (id, name, email, image_url, is_api_created))

/// An agent of the caller's organisation that somebody else has made.
struct SharedAgent {
    std::string id;
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<Timestamp> created_at;
    std::optional<Timestamp> updated_at;
    std::optional<Timestamp> last_run_completion;
    std::optional<std::string> created_by_id;
    std::optional<AgentCreator> creator;
};
BOOST_DESCRIBE_STRUCT(SharedAgent, (),
                      (id, name, description, created_at, updated_at, last_run_completion, created_by_id, creator))

/// Answer of GET /v1/shared-agents.
struct SharedAgents {
    std::vector<SharedAgent> agents;
    std::optional<std::string> nextCursor;
};
BOOST_DESCRIBE_STRUCT(SharedAgents, (), (agents, nextCursor))

}  // namespace stele
