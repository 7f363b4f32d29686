#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>
#include <cstdint>

namespace stele {

/// What an agent's context shows of a block, and what links it elsewhere.
struct BlockBody {
    std::string value;             ///< UTF-8
    std::int64_t limit = 100'000;  ///< most code points that `value` may have
    std::optional<std::string> project_id;
    std::optional<std::string> template_name;
    bool is_template = false;
    std::optional<std::string> template_id;
    std::optional<std::string> base_template_id;
    std::optional<std::string> deployment_id;
    std::optional<std::string> entity_id;
    bool preserve_on_migration = false;
    std::string label;       ///< unique within one agent, 1-255 characters
    bool read_only = false;  ///< binds the agent's tools only; REST may write
    std::optional<std::string> description;
    Json metadata{"{}"};
    std::optional<bool> hidden;
};
BOOST_DESCRIBE_STRUCT(BlockBody, (),
                      (value, limit, project_id, template_name, is_template, template_id, base_template_id,
                       deployment_id, entity_id, preserve_on_migration, label, read_only, description, metadata,
                       hidden))

/// A labelled text that stands in its agents' context on every step. Shared: one block may be attached to many agents.
struct Block : BlockBody {
    std::string id;  ///< "block-<uuid>"
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    std::vector<std::string> tags;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::int64_t version = 1;  ///< of the row, sent as ETag; not described, so never in the JSON
};
BOOST_DESCRIBE_STRUCT(Block, (BlockBody), (id, created_by_id, last_updated_by_id, tags, created_at, updated_at))

/// A block as its own routes answer it.
struct BlockResponse : Block {
    std::optional<std::string> name;  ///< older word for template_name
    Patch<Json> value_json;           ///< what `value` is the JSON text of; absent for a plain text

    BlockResponse() = default;
    explicit BlockResponse(Block block);
};
BOOST_DESCRIBE_STRUCT(BlockResponse, (Block), (name, value_json))

/// Text or any other JSON value, which is kept as its JSON text: the block is marked then (marked_as_json).
struct BlockValue {
    std::string text;
    bool is_json = false;

    bool operator==(const BlockValue&) const = default;
};

void read_json(const boost::json::value& from, BlockValue& into, Problems& problems);
void write_json(const BlockValue& from, std::string& out);
Schema json_schema(const BlockValue*);

/// Body of POST /v1/blocks and an element of an agent's `memory_blocks`.
struct CreateBlock {
    Patch<BlockValue> value;
    Patch<std::int64_t> limit;
    Patch<std::string> project_id;
    Patch<std::string> name;  ///< older word for template_name
    Patch<std::string> template_name;
    bool is_template = false;
    Patch<std::string> template_id;
    Patch<std::string> base_template_id;
    Patch<std::string> deployment_id;
    Patch<std::string> entity_id;
    bool preserve_on_migration = false;
    std::string label;
    bool read_only = false;
    Patch<std::string> description;
    Patch<Json> metadata;
    Patch<bool> hidden;
    std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(CreateBlock, (),
                      (value, limit, project_id, name, template_name, is_template, template_id, base_template_id,
                       deployment_id, entity_id, preserve_on_migration, label, read_only, description, metadata, hidden,
                       tags))
void check(const CreateBlock& block, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const CreateBlock*) { return {"label"}; }

/// Body of PATCH /v1/blocks/{block_id}. Patch<T> has three states: absent leaves, null clears, a value sets.
struct BlockUpdate {
    Patch<BlockValue> value;
    Patch<std::int64_t> limit;
    Patch<std::string> project_id;
    Patch<std::string> name;
    Patch<std::string> template_name;
    Patch<bool> is_template;
    Patch<std::string> template_id;
    Patch<std::string> base_template_id;
    Patch<std::string> deployment_id;
    Patch<std::string> entity_id;
    Patch<bool> preserve_on_migration;
    Patch<std::string> label;
    Patch<bool> read_only;
    Patch<std::string> description;
    Patch<Json> metadata;
    Patch<bool> hidden;
    Patch<std::vector<std::string>> tags;
};
BOOST_DESCRIBE_STRUCT(BlockUpdate, (),
                      (value, limit, project_id, name, template_name, is_template, template_id, base_template_id,
                       deployment_id, entity_id, preserve_on_migration, label, read_only, description, metadata, hidden,
                       tags))
void check(const BlockUpdate& update, Problems& problems);

/// A new block as `request` wants it, made by `actor` now. Throws Error{invalid_argument} on "body.value" when the
/// text exceeds the limit.
Block make_block(CreateBlock request, const std::string& actor);

/// What an update changed.
enum class BlockChange : std::uint8_t {
    none,
    unseen,  ///< tags, metadata, links: no prompt shows them
    seen,    ///< value, label, limit, description or read_only: stands in prompts
};

/// Applies what `update` holds; `updated_at` follows a change. Throws Error{invalid_argument} on "body.value" if the
/// text would exceed the limit, unless it was over it before and does not grow.
BlockChange apply(const BlockUpdate& update, Block& block);

/// True while the value stands for the JSON that a client has sent: `value_type` of the metadata is "json".
bool marked_as_json(const BlockBody& block);

/// Replaces the value under the same rule; the text is taken without U+0000. The mark of JSON goes when the text is
/// none any more. For tools.
void set_value(Block& block, std::string value);

/// The description that prompts and answers show: the block's own, or the default one of the labels human and persona.
std::optional<std::string> shown_description(const BlockBody& block);

}  // namespace stele
