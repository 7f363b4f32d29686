#pragma once

#include "domain/agent_file.hpp"

#include <set>

namespace stele {

/// References of a file and where each stands, so that all that lead nowhere are told at once.
class References {
public:
    void define(const std::string& kind, const std::string& id);
    void demand(const std::string& where, const std::string& kind, const std::string& id);
    void demand_all(const std::string& where, const std::string& kind, const std::vector<std::string>& ids);
    void problem(const std::string& text);

    /// Throws Error{invalid_argument} (status 400) with all problems, if there are any.
    void throw_if_any() const;

private:
    std::set<std::string> known_;
    std::map<std::string, std::set<std::string>> kinds_;
    std::string problems_;
    bool more_ = false;
};

/// Throws Error{invalid_argument} for references between agents, blocks, tools, groups, folders and files that lead
/// nowhere, for ids that are missing or there twice, and for a file without an agent.
void check_references(const AgentFile& file);

}  // namespace stele
