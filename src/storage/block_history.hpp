#pragma once

#include "domain/block_history.hpp"
#include "storage/page.hpp"

/// What prompts have shown of blocks. BlockRepository::update keeps it, so nothing that changes a block can forget to.
namespace stele::storage {

/// So many versions back a former state is kept at least; what lies further back goes.
inline constexpr std::int64_t block_versions_kept = 1'000;

/// Adds to `transaction`, before the update of `block` (which still has the version that was read), what keeps the
/// state that the update replaces. Nothing is kept if prompts show the same afterwards.
void keep_former_state(Transaction& transaction, const std::string& organization_id, const Block& block,
                       const BlockOrigin& origin);

class BlockHistory {
public:
    explicit BlockHistory(Database& database) : database_(database) {}

    /// Newest first unless `page` says otherwise, the present state among them; cursors are versions. Empty for a block
    /// that is not there. Throws Error{invalid_argument} for a cursor that is no version.
    boost::asio::awaitable<std::vector<BlockVersion>> list(std::string organization_id, std::string block_id,
                                                           Page page) const;

    /// What prompts showed while the block had this version. Nothing if it is not kept, or never was.
    boost::asio::awaitable<std::optional<BlockVersion>> find(std::string organization_id, std::string block_id,
                                                             std::int64_t version) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
