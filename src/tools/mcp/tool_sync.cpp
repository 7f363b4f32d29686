#include "tools/mcp/tool_sync.hpp"

#include "base/ids.hpp"
#include "tools/mcp/tool_list.hpp"

#include <algorithm>
#include <set>

namespace stele::tools::mcp {
namespace {

using boost::asio::awaitable;

constexpr std::size_t names_at_once = 500;
constexpr int attempts_max = 20;

Caller nobody(const McpServer& server) {
    Caller caller;
    caller.organization_id = server.organization_id;
    return caller;
}

const McpTool* find(const std::vector<McpTool>& offers, const std::string& name) {
    const auto found =
        std::find_if(offers.begin(), offers.end(), [&](const McpTool& offer) { return offer.name == name; });
    return found == offers.end() ? nullptr : &*found;
}

// True if the tool is another now: held back, accepted, or as it was approved once again.
bool compare(Tool& tool, const McpTool& offer, const McpServer& server, bool approve) {
    const std::optional<ToolOrigin> origin = origin_of(tool);
    const std::string fingerprint = fingerprint_of(offer);
    if (!origin) return false;
    if (is_as_approved(tool, offer, server)) {
        if (origin->waits_for_approval) forget_held_back(tool);
        return origin->waits_for_approval;
    }
    if (approve) {
        accept(tool, offer, server);
        return true;
    }
    if (origin->offered_fingerprint == fingerprint) return false;
    hold_back(tool, offer, server);
    return true;
}

}  // namespace

awaitable<void> ToolSync::add(storage::Transaction& transaction, const McpServer& server, std::vector<McpTool> offers,
                              std::string actor, std::vector<Tool>& added) const {
    std::set<std::string> taken;
    std::vector<std::string> wanted;
    for (const McpTool& offer : offers) {
        wanted.push_back(own_name(offer.name, server.server_name, false));
        wanted.push_back(own_name(offer.name, server.server_name, true));
    }
    for (std::size_t begin = 0; begin < wanted.size(); begin += names_at_once) {
        std::vector<std::string> some(
            wanted.begin() + static_cast<std::ptrdiff_t>(begin),
            wanted.begin() + static_cast<std::ptrdiff_t>(std::min(begin + names_at_once, wanted.size())));
        for (std::string& name : co_await servers_.taken_names(server.organization_id, std::move(some)))
            taken.insert(std::move(name));
    }
    OwnNames names(server.server_name, std::move(taken));
    for (const McpTool& offer : offers) {
        storage::McpToolLink link;
        link.tool = tool_for(offer, server, names.take(offer.name));
        link.tool.id = new_id("tool");
        link.tool.created_by_id = link.tool.last_updated_by_id = actor;
        link.tool.created_at = now();
        link.remote_name = offer.name;
        tools_.insert(transaction, server.organization_id, link.tool);
        servers_.link_tool(transaction, server.id, link);
        added.push_back(std::move(link.tool));
    }
}

// Others may store tools of the same names at the same time: then it is decided anew.
awaitable<McpResync> ToolSync::resync(McpServer server, std::string actor, bool approve, Caller caller) const {
    const Offers offers = co_await client_.offered(server, std::move(caller));
    for (int attempt = 1;; ++attempt) {
        try {
            McpResync changes = co_await store(server, offers, actor, approve);
            co_return changes;
        } catch (const Error& error) {
            if (error.code != ErrorCode::conflict || attempt == attempts_max) throw;
        }
    }
}

awaitable<McpResync> ToolSync::store(McpServer server, Offers offers, std::string actor, bool approve) const {
    std::vector<storage::McpToolLink> links = co_await servers_.tools_of(server.organization_id, server.id);
    McpResync changes;
    storage::Transaction transaction;
    std::set<std::string> stored;
    for (storage::McpToolLink& link : links) {
        stored.insert(link.remote_name);
        const McpTool* offer = find(offers.tools, link.remote_name);
        if (offer == nullptr && !offers.whole) continue;
        if (offer == nullptr) {
            tools_.remove(transaction, server.organization_id, link.tool);
            changes.deleted.push_back(link.remote_name);
        } else if (compare(link.tool, *offer, server, approve)) {
            link.tool.last_updated_by_id = actor;
            tools_.update(transaction, server.organization_id, link.tool);
            changes.updated.push_back(link.remote_name);
        }
    }
    std::vector<McpTool> fresh;
    for (const McpTool& offer : offers.tools)
        if (!stored.contains(offer.name) && offer.health && offer.health->status != "INVALID") fresh.push_back(offer);
    for (const McpTool& offer : fresh) changes.added.push_back(offer.name);
    std::vector<Tool> added;
    co_await add(transaction, server, std::move(fresh), std::move(actor), added);
    if (!transaction.empty()) co_await database_.commit(std::move(transaction));
    co_return changes;
}

awaitable<Tool> ToolSync::import(McpServer server, std::string actor, std::string remote_name) const {
    const Offers offers = co_await client_.offered(server, nobody(server));
    const McpTool* offer = find(offers.tools, remote_name);
    if (offer == nullptr) throw not_found("Tool of the MCP server", remote_name);
    std::vector<storage::McpToolLink> links = co_await servers_.tools_of(server.organization_id, server.id);
    const auto link = std::find_if(links.begin(), links.end(),
                                   [&](const storage::McpToolLink& each) { return each.remote_name == remote_name; });
    storage::Transaction transaction;
    std::vector<Tool> made;
    if (link == links.end()) {
        std::vector<McpTool> one{*offer};
        co_await add(transaction, server, std::move(one), std::move(actor), made);
    } else {
        compare(link->tool, *offer, server, true);
        link->tool.last_updated_by_id = std::move(actor);
        tools_.update(transaction, server.organization_id, link->tool);
        made.push_back(std::move(link->tool));
    }
    co_await database_.commit(std::move(transaction));
    co_return std::move(made.front());
}

awaitable<Tool> ToolSync::approve(McpServer server, std::string actor, std::string tool_id) const {
    std::vector<storage::McpToolLink> links = co_await servers_.tools_of(server.organization_id, server.id);
    const auto link = std::find_if(links.begin(), links.end(),
                                   [&](const storage::McpToolLink& each) { return each.tool.id == tool_id; });
    if (link == links.end()) throw not_found("Tool", tool_id);
    Tool tool = std::move(link->tool);
    if (!accept_held_back(tool)) co_return tool;
    tool.last_updated_by_id = std::move(actor);
    storage::Transaction transaction;
    tools_.update(transaction, server.organization_id, tool);
    co_await database_.commit(std::move(transaction));
    co_return tool;
}

awaitable<void> ToolSync::follow_rename(storage::Transaction& transaction, const McpServer& server,
                                        std::string old_name) const {
    for (storage::McpToolLink& link : co_await servers_.tools_of(server.organization_id, server.id)) {
        mcp::follow_rename(link.tool, server, old_name);
        tools_.update(transaction, server.organization_id, link.tool);
    }
}

}  // namespace stele::tools::mcp
