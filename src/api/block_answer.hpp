#pragma once

#include "api/route.hpp"
#include "domain/block.hpp"
#include "storage/block_repository.hpp"

namespace stele::api {

/// The block as clients see it, with its version as ETag.
Response block_answer(Block block);

/// The page of blocks, with headers that tell what a page can't: X-Total-Count (all that the filters let through),
/// X-Total-Hidden (those left out because they are hidden) and a Link to the next page.
awaitable<Response> block_list(const Services& services, const Request& request, storage::BlockFilter filter,
                               storage::Page page);

/// The query parameters by which lists and counts of blocks filter, as a route names them.
inline constexpr std::string_view block_filters =
    "label, label_search, description_search, value_search, name, project_id, identity_id, identifier_keys[],"
    " templates_only:boolean, tags[], match_all_tags:boolean, connected_to_agents_count_gt:integer,"
    " connected_to_agents_count_lt:integer, connected_to_agents_count_eq[]:integer, show_hidden_blocks:boolean";

/// What the query of a list or count of blocks asks for.
awaitable<storage::BlockFilter> block_filter(const Services& services, const Request& request);

// Handlers that several routes share.
awaitable<Response> create_block(Services& services, const Request& request);
awaitable<Response> delete_block(Services& services, const Request& request);
awaitable<Response> agents_of_block(Services& services, const Request& request);
awaitable<Response> update_block_of_agent(Services& services, const Request& request);  ///< found by its label

/// Applies `change` to `block`, which was just read, stores what differs and answers the block: the one way by which
/// REST changes a block. Throws Error{precondition_failed} when the request's If-Match names another version.
awaitable<Response> change_block(Services& services, const Request& request, Block block, BlockUpdate change);

}  // namespace stele::api
