#pragma once

#include "domain/block.hpp"

/// Values of blocks that clients send as JSON, and the mark in the metadata by which they are known again.
namespace stele {

/// `value` as a block keeps it: a text as it is, anything else as its JSON text.
BlockValue block_value(const Json& value);

/// Sets or takes away the mark; the other members of the metadata stay. False if nothing changed.
bool mark_as_json(BlockBody& block, bool is_json);

/// True if `text` is JSON.
bool is_json(const std::string& text);

}  // namespace stele
