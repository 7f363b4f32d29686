#pragma once

#include "tools/builtin/builtin.hpp"

// The tables that builtin.cpp joins; one a file of built-ins.
namespace stele::tools {

std::span<const BuiltinTool> agent_tools();
std::span<const BuiltinTool> archival_tools();
std::span<const BuiltinTool> code_tools();
std::span<const BuiltinTool> conversation_tools();
std::span<const BuiltinTool> file_tools();
std::span<const BuiltinTool> memory_tools();
std::span<const BuiltinTool> voice_tools();
std::span<const BuiltinTool> web_tools();

/// Not joined: lent to an agent by the runtime, for one run.
std::span<const BuiltinTool> group_tools();

}  // namespace stele::tools
