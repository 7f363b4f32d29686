#include "api/block_answer.hpp"

#include "api/identity_query.hpp"
#include "storage/block_repository.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"

namespace stele::api {
namespace {

// If-Match: the version that the client has seen, in quotes or bare.
void demand_version(const Request& request, const Block& block) {
    const std::string* wanted = request.http.headers.find("If-Match");
    if (wanted == nullptr || *wanted == "*") return;
    std::string number = *wanted;
    std::erase(number, '"');
    if (number == std::to_string(block.version)) return;
    throw Error(ErrorCode::precondition_failed,
                "The block has version " + std::to_string(block.version) + ", not " + number);
}

// RFC 8288: the same request with the cursor behind the last item. The order stays that of this request.
std::string next_link(const Request& request, const std::string& last_id) {
    std::string link = "<" + request.http.path + "?after=" + last_id;
    std::string_view rest = request.http.query;
    while (!rest.empty()) {
        const std::string_view part = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        if (!part.empty() && !part.starts_with("after=") && !part.starts_with("before=")) {
            link += '&';
            link += part;
        }
    }
    return link + ">; rel=\"next\"";
}

}  // namespace

Response block_answer(Block block) {
    const std::int64_t version = block.version;
    Response response = answer(BlockResponse(std::move(block)));
    response.headers.add("ETag", "\"" + std::to_string(version) + "\"");
    return response;
}

awaitable<Response> block_list(const Services& services, const Request& request, storage::BlockFilter filter,
                               storage::Page page) {
    const auto limit = static_cast<std::size_t>(page.limit);
    const bool shows_hidden = filter.show_hidden;
    const storage::BlockCount total = co_await services.blocks.count_both(request.organization_id, filter);
    std::vector<Block> blocks =
        co_await services.blocks.list(request.organization_id, std::move(filter), std::move(page));
    std::vector<BlockResponse> shown;
    for (Block& block : blocks) shown.emplace_back(std::move(block));
    Response response = answer(shown);
    response.headers.add("X-Total-Count", std::to_string(shows_hidden ? total.all : total.all - total.hidden));
    response.headers.add("X-Total-Hidden", std::to_string(shows_hidden ? 0 : total.hidden));
    if (shown.size() == limit) response.headers.add("Link", next_link(request, shown.back().id));
    co_return response;
}

awaitable<storage::BlockFilter> block_filter(const Services& services, const Request& request) {
    const Query& query = request.query;
    storage::BlockFilter filter;
    filter.label = query.text("label");
    filter.label_search = query.text("label_search");
    filter.description_search = query.text("description_search");
    filter.value_search = query.text("value_search");
    filter.name = query.text("name");
    filter.project_id = query.text("project_id");
    filter.templates_only = query.flag("templates_only");
    filter.tags = query.list("tags");
    filter.match_all_tags = query.flag("match_all_tags").value_or(false);
    filter.agents_above = query.integer("connected_to_agents_count_gt");
    filter.agents_below = query.integer("connected_to_agents_count_lt");
    filter.agents_equal = query.integers("connected_to_agents_count_eq");
    filter.identifier_keys = query.list("identifier_keys");
    filter.show_hidden = query.flag("show_hidden_blocks").value_or(false);
    std::optional<std::string> named = query.text("identity_id");
    auto id = co_await identity_filter(services, request, std::move(named));
    filter.identity_id = std::move(id);
    co_return filter;
}

awaitable<Response> create_block(Services& services, const Request& request) {
    auto body = decode<CreateBlock>(request.body());
    if (!body.project_id.present() && request.project_id) body.project_id = *request.project_id;
    Block block = make_block(std::move(body), request.user_id);
    storage::Transaction transaction;
    services.blocks.insert(transaction, request.organization_id, block);
    if (request.idempotency_key)
        services.idempotency.keep_made(transaction, request.organization_id, *request.idempotency_key, block.id);
    co_await services.database.commit(std::move(transaction));
    co_return block_answer(std::move(block));
}

awaitable<Response> change_block(Services& services, const Request& request, Block block, BlockUpdate change) {
    demand_version(request, block);
    if (apply(change, block) != BlockChange::none) {
        block.last_updated_by_id = request.user_id;
        storage::Transaction transaction;
        BlockOrigin origin;
        origin.user_id = request.user_id;
        services.blocks.update(transaction, request.organization_id, block, change.tags.has_value(), origin);
        co_await services.database.commit(std::move(transaction));
    }
    co_return block_answer(std::move(block));
}

}  // namespace stele::api
