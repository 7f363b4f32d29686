#pragma once

#include "domain/tool.hpp"
#include "tools/mcp/rpc.hpp"
#include "tools/mcp/schema.hpp"

#include <map>
#include <set>

namespace stele::tools::mcp {

/// The tools of a server as its pages come. Bounded; a cursor that comes again, or a page that is none, ends it.
class ToolList {
public:
    /// Takes the result of one tools/list. True if the page of cursor() is to be asked for too.
    bool take(const boost::json::value& page);

    const std::string& cursor() const { return cursor_; }
    std::vector<McpTool> take_tools() { return std::move(tools_); }

    /// How long the server says that its list holds, in milliseconds; 0: not said.
    std::int64_t ttl_ms() const { return ttl_ms_; }

    /// Not empty: the list was cut, or a page was no list.
    const std::string& problem() const { return problem_; }

private:
    std::vector<McpTool> tools_;
    std::set<std::string> cursors_, names_;
    std::string cursor_, problem_;
    std::size_t pages_ = 0, bytes_ = 0;
    std::int64_t ttl_ms_ = 0;
};

/// The tool that agents get for `offer`: its schema normalised and marked with its health. Everything else (ids, who)
/// is the caller's to fill in. `name`: see own_name.
Tool tool_for(const McpTool& offer, const McpServer& server, const std::string& name);

/// The name by which models call the tool `remote_name`: the server's own where models can say it, else as near to it
/// as they can; with `<server>__` before it if `qualified`, since another tool has the plain name.
std::string own_name(const std::string& remote_name, const std::string& server_name, bool qualified);

/// Finds names for the tools of one server of which no two are the same, and none is one that was taken before.
class OwnNames {
public:
    OwnNames(std::string server_name, std::set<std::string> taken)
        : server_name_(std::move(server_name)), taken_(std::move(taken)) {}

    /// The plain name, the qualified one, or that with a number.
    std::string take(const std::string& remote_name);

private:
    std::string server_name_;
    std::set<std::string> taken_;
    std::map<std::string, int> numbers_;  ///< the last one that stands behind a qualified name
};

/// What tells a changed definition: a hash of all that a model is told of the tool, as its server offers it.
std::string fingerprint_of(const McpTool& offer);

// What metadata_.mcp of a stored tool says.
struct ToolOrigin {
    std::string server_id, server_name, remote_name;
    std::string fingerprint;          ///< of the definition that was approved; empty: nobody knows
    std::string offered_fingerprint;  ///< of the one that waits for approval
    bool waits_for_approval = false;  ///< its server has changed it since somebody last approved of it
};

/// True if `tool`, which is stored, is what `offer` says: by its fingerprint, or where it has none (it was imported
/// from elsewhere) by all that models are told.
bool is_as_approved(const Tool& tool, const McpTool& offer, const McpServer& server);

/// Nothing for a tool that is of no server.
std::optional<ToolOrigin> origin_of(const Tool& tool);

/// Marks that the server now offers `offer` in place of what was approved; what models are told stays.
void hold_back(Tool& tool, const McpTool& offer, const McpServer& server);

/// Takes over the definition of `offer` as approved, or the one that was held back: false if none was.
void accept(Tool& tool, const McpTool& offer, const McpServer& server);
bool accept_held_back(Tool& tool);

/// Forgets what was held back: the server offers again what was approved.
void forget_held_back(Tool& tool);

/// After the server was given another name.
void follow_rename(Tool& tool, const McpServer& server, const std::string& old_name);

}  // namespace stele::tools::mcp
