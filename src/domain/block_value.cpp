#include "domain/block_value.hpp"

#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>

namespace stele {
namespace {

constexpr std::string_view mark_key = "value_type", mark_value = "json";

// Compact, and numbers as people write them: the library writes 0.5 as 5E-1, which a model would copy.
void append_compact(const boost::json::value& value, std::string& out) {
    if (value.is_object()) {
        out += '{';
        bool first = true;
        for (const auto& [key, member] : value.get_object()) {
            if (!std::exchange(first, false)) out += ',';
            append_json_string(out, key);
            out += ':';
            append_compact(member, out);
        }
        out += '}';
    } else if (value.is_array()) {
        out += '[';
        bool first = true;
        for (const boost::json::value& element : value.get_array()) {
            if (!std::exchange(first, false)) out += ',';
            append_compact(element, out);
        }
        out += ']';
    } else if (value.is_double()) {
        mapping::write_number(value.get_double(), out);
    } else {
        out += boost::json::serialize(value);
    }
}

boost::json::object metadata_of(const BlockBody& block) {
    boost::system::error_code failure;
    const boost::json::value value = boost::json::parse(block.metadata.text, failure);
    return !failure && value.is_object() ? value.get_object() : boost::json::object();
}

}  // namespace

void read_json(const boost::json::value& from, BlockValue& into, Problems&) {
    into.text.clear();
    into.is_json = !from.is_string();
    if (into.is_json)
        append_compact(from, into.text);
    else
        into.text = from.get_string();
}
void write_json(const BlockValue& from, std::string& out) { append_json_string(out, from.text); }
Schema json_schema(const BlockValue*) {
    Schema schema;
    schema.any = true;
    return schema;
}

BlockValue block_value(const Json& value) {
    BlockValue made;
    Problems none("value");
    read_json(boost::json::parse(value.text), made, none);
    return made;
}

bool marked_as_json(const BlockBody& block) {
    if (block.metadata.text.find(mark_key) == std::string::npos) return false;
    const boost::json::object metadata = metadata_of(block);
    const boost::json::value* mark = metadata.if_contains(mark_key);
    return mark != nullptr && mark->is_string() && std::string_view(mark->get_string()) == mark_value;
}

bool mark_as_json(BlockBody& block, bool is_json) {
    if (marked_as_json(block) == is_json) return false;
    boost::json::object metadata = metadata_of(block);
    if (is_json)
        metadata[mark_key] = mark_value;
    else
        metadata.erase(mark_key);
    block.metadata.text = boost::json::serialize(metadata);
    return true;
}

bool is_json(const std::string& text) { return parse_json(text).has_value(); }

BlockResponse::BlockResponse(Block block) : Block(std::move(block)) {
    description = shown_description(*this);
    name = template_name;
    if (!marked_as_json(*this)) return;
    if (is_json(value)) value_json = Json{value};
}

STELE_JSON_WRITTEN(BlockResponse)

}  // namespace stele
