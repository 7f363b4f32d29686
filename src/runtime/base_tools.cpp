#include "runtime/base_tools.hpp"

#include "base/ids.hpp"
#include "domain/audit.hpp"
#include "tools/builtin/builtin.hpp"

#include <algorithm>

namespace stele::runtime {

boost::asio::awaitable<void> seed_base_tools(const storage::ToolRepository& tools, storage::Transaction& transaction,
                                             std::string organization_id) {
    std::vector<std::string> names;
    for (const tools::BuiltinTool& builtin : tools::builtin_tools()) names.emplace_back(builtin.name);
    const std::vector<Tool> stored = co_await tools.find_by_names(organization_id, std::move(names));
    for (const tools::BuiltinTool& builtin : tools::builtin_tools()) {
        const auto known =
            std::find_if(stored.begin(), stored.end(), [&](const Tool& tool) { return tool.name == builtin.name; });
        Tool tool =
            tools::describe_builtin(builtin, known == stored.end() ? new_id("tool") : known->id, default_user_id);
        if (known != stored.end()) {
            tool.created_at = known->created_at;
            tool.tags = known->tags;
            tool.return_char_limit = known->return_char_limit;
            tool.default_requires_approval = known->default_requires_approval;
            tool.metadata_ = known->metadata_;
        }
        if (known == stored.end() || to_json(*known) != to_json(tool)) tools.upsert(transaction, organization_id, tool);
    }
}

}  // namespace stele::runtime
