#pragma once

#include "tools/builtin/builtin.hpp"

// The tables that builtin.cpp joins; one a file of built-ins.
namespace stele::tools {

std::span<const BuiltinTool> agent_tools();
std::span<const BuiltinTool> conversation_tools();
std::span<const BuiltinTool> memory_tools();

}  // namespace stele::tools
