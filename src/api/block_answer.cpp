#include "api/block_answer.hpp"

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

}  // namespace

Response block_answer(Block block) {
    block.description = shown_description(block);
    Response response = answer(block);
    response.headers.add("ETag", "\"" + std::to_string(block.version) + "\"");
    return response;
}

awaitable<Response> change_block(Services& services, const Request& request, Block block, BlockUpdate change) {
    demand_version(request, block);
    if (apply(change, block) != BlockChange::none) {
        block.last_updated_by_id = request.user_id;
        storage::Transaction transaction;
        services.blocks.update(transaction, request.organization_id, block, change.tags.has_value());
        co_await services.database.commit(std::move(transaction));
    }
    co_return block_answer(std::move(block));
}

}  // namespace stele::api
