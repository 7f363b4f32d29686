#include "domain/block_history.hpp"

#include "domain/block_value.hpp"
#include "domain/json_mapping.hpp"
#include "domain/text_diff.hpp"

namespace stele {
namespace {

template <class T>
Json json_of(const T& value) {
    Json made;
    made.text.clear();
    mapping::write(value, made.text);
    return made;
}

}  // namespace

BlockDiff diff_of(const BlockVersion& from, const BlockVersion& to) {
    BlockDiff made;
    made.block_id = to.block_id;
    made.from = from.version;
    made.to = to.version;
    const auto compare = [&](const char* name, const auto& before, const auto& after) {
        if (before == after) return;
        BlockVersionChange& change = made.changes.emplace_back();
        change.name = name;
        change.from = json_of(before);
        change.to = json_of(after);
    };
    compare("label", from.label, to.label);
    compare("limit", from.limit, to.limit);
    compare("read_only", from.read_only, to.read_only);
    compare("description", from.description, to.description);
    made.diff = text_diff(from.value, to.value);
    return made;
}

BlockUpdate update_to(const BlockVersion& version, bool marked) {
    BlockUpdate update;
    update.label = version.label;
    BlockValue value;
    value.text = version.value;
    value.is_json = marked && is_json(version.value);
    update.value = std::move(value);
    update.limit = version.limit;
    update.read_only = version.read_only;
    update.description =
        version.description ? Patch<std::string>(*version.description) : Patch<std::string>(std::nullopt);
    return update;
}

STELE_JSON_WRITTEN(BlockVersion)
STELE_JSON_WRITTEN(BlockDiff)
STELE_JSON_READ(BlockRestore)

}  // namespace stele
