#pragma once

#include "domain/project.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Lets `select` keep the rows of a project; those without one belong to the default project. `column`: "a.project_id".
inline void where_project(Select& select, const std::string& column, const std::string& project_id) {
    if (project_id == default_project_id)
        select.where("(" + column + " = ? OR " + column + " IS NULL)", project_id);
    else
        select.where(column + " = ?", project_id);
}

/// The same for rows of an agent, by the agent's project. `agent_id`: the column, "r.agent_id".
inline void where_agent_in_project(Select& select, const std::string& agent_id, const std::string& project_id) {
    const std::string any = project_id == default_project_id ? " OR a.project_id IS NULL" : "";
    select.where("EXISTS (SELECT 1 FROM agent a WHERE a.id = " + agent_id + " AND (a.project_id = ?" + any + "))",
                 project_id);
}

}  // namespace stele::storage
