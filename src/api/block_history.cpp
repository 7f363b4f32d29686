#include "storage/block_history.hpp"
#include "api/block_answer.hpp"
#include "storage/block_repository.hpp"

namespace stele::api {
namespace {

awaitable<BlockVersion> find(const Services& services, const Request& request, const std::string& id,
                             std::int64_t version) {
    auto found = co_await services.block_history.find(request.organization_id, id, version);
    if (!found)
        throw Error(ErrorCode::not_found, "Version " + std::to_string(version) + " of block " + id +
                                              " was not found: it never was, or is no longer kept");
    co_return std::move(*found);
}

awaitable<Response> list(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    storage::Page page = page_of(request.query, {.order_by = {"version"}});
    const auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    const std::vector<BlockVersion> versions =
        co_await services.block_history.list(request.organization_id, id, std::move(page));
    co_return answer(versions);
}

// The state before `version`; the same if there is none.
awaitable<std::int64_t> version_before(const Services& services, const Request& request, const std::string& id,
                                       std::int64_t version) {
    storage::Page page;
    page.limit = 1;
    page.after = std::to_string(version);
    const std::vector<BlockVersion> before =
        co_await services.block_history.list(request.organization_id, id, std::move(page));
    co_return before.empty() ? version : before.front().version;
}

awaitable<Response> diff(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    const std::optional<std::int64_t> wanted_from = request.query.integer("from"),
                                      wanted_to = request.query.integer("to");
    const auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    const BlockVersion to = co_await find(services, request, id, wanted_to.value_or(block->version));
    std::int64_t first = wanted_from.value_or(0);
    if (!wanted_from) first = co_await version_before(services, request, id, to.version);
    const BlockVersion from = co_await find(services, request, id, first);
    const BlockDiff made = diff_of(from, to);
    co_return answer(made);
}

// A new version, whose text is the old one's.
awaitable<Response> restore(Services& services, const Request& request) {
    const std::string id = request.path_id("block_id", "block");
    const auto body = decode<BlockRestore>(request.body());
    auto block = co_await services.blocks.find(request.organization_id, id);
    if (!block) throw not_found("Block", id);
    const BlockVersion wanted = co_await find(services, request, id, body.version);
    BlockUpdate change = update_to(wanted, marked_as_json(*block));
    co_return co_await change_block(services, request, std::move(*block), std::move(change));
}

}  // namespace

std::span<const Route> block_history_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/blocks/{block_id}/history", list, "blocks.history.list", "", "BlockVersion[]", "",
         Trait::paged},
        {Method::get, "/v1/blocks/{block_id}/history/diff", diff, "blocks.history.diff", "", "BlockDiff",
         "from:integer, to:integer"},
        {Method::post, "/v1/blocks/{block_id}/restore", restore, "blocks.history.restore", "BlockRestore",
         "BlockResponse"},
    };
    return routes;
}

}  // namespace stele::api
