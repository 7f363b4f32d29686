#include "domain/agent_file_references.hpp"

namespace stele {

void References::define(const std::string& kind, const std::string& id) {
    if (id.empty())
        problem(kind + ": every one needs an id");
    else if (!known_.insert(id).second)
        problem("the id " + id + " is there twice");
    kinds_[kind].insert(id);
}

void References::demand(const std::string& where, const std::string& kind, const std::string& id) {
    if (!kinds_[kind].contains(id)) problem(where + ": the file has no " + kind + " " + id);
}

void References::demand_all(const std::string& where, const std::string& kind, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) demand(where, kind, id);
}

void References::problem(const std::string& text) {
    if (problems_.size() > 2'000) {
        more_ = true;
        return;
    }
    problems_ += (problems_.empty() ? "" : "; ") + text;
}

void References::throw_if_any() const {
    if (problems_.empty()) return;
    throw refused("The agent file can't be read: " + problems_ + (more_ ? "; and more" : ""));
}

void check_references(const AgentFile& file) {
    References references;
    for (const FileAgent& agent : file.agents) references.define("agent", agent.links.id);
    for (const FileGroup& group : file.groups) references.define("group", group.id);
    for (const FileBlock& block : file.blocks) references.define("block", block.id);
    for (const Tool& tool : file.tools) references.define("tool", tool.id);
    for (const FileMcpServer& server : file.mcp_servers) references.define("MCP server", server.id);
    for (const FileFolder& source : file.sources) references.define("source", source.id);
    for (const FileDocument& document : file.files) references.define("file", document.id);
    for (const FileDocument& document : file.files)
        references.demand(document.id + ".source_id", "source", document.source_id);
    for (const FileAgent& agent : file.agents) {
        const FileAgentLinks& links = agent.links;
        references.demand_all(links.id + ".tool_ids", "tool", links.tool_ids);
        references.demand_all(links.id + ".block_ids", "block", links.block_ids);
        references.demand_all(links.id + ".source_ids", "source", links.source_ids);
        for (const FileAttachment& attached : links.files_agents) {
            references.demand(links.id + ".files_agents", "file", attached.file_id);
            references.demand(links.id + ".files_agents", "source", attached.source_id);
            if (attached.agent_id != links.id)
                references.demand(links.id + ".files_agents", "agent of its own", attached.agent_id);
        }
    }
    for (const FileGroup& group : file.groups) {
        references.demand_all(group.id + ".agent_ids", "agent", group.agent_ids);
        references.demand_all(group.id + ".shared_block_ids", "block", group.shared_block_ids);
        const auto& manager = group.manager_config.manager_agent_id;
        if (manager.has_value()) references.demand(group.id + ".manager_config", "agent", *manager);
    }
    references.throw_if_any();
    if (file.agents.empty()) throw refused("The agent file can't be read: it holds no agent");
}

}  // namespace stele
