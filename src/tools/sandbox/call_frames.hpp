#pragma once

#include "tools/sandbox/sandbox.hpp"

#include <string>
#include <string_view>

namespace stele::tools {

/// Most bytes of an answer that are read.
inline constexpr std::size_t answer_bytes_max = 16u << 20;

/// The request of a call as python/tool_call.py reads it. `environment` is the whole of what the tool will see.
/// `node`: path of Node.js if the tool is one for it, else empty. `api_socket`: where the call finds it.
std::string call_request(const SandboxCall& call, const std::vector<std::pair<std::string, std::string>>& environment,
                         const std::string& node, const std::string& api_socket);

std::string derivation_request(std::string_view source_code, std::string_view source_type,
                               std::string_view args_json_schema);

/// Takes an answer over into the result. What is no answer makes it a Crash: it came from a process that the tool's
/// author had in hand.
void read_answer(std::string_view answer, SandboxResult& result);

/// The schema, as JSON. Throws Error{invalid_argument} with the reason that the answer gives.
std::string read_derivation(std::string_view answer);

/// Of a process that ended without an answer; `exit_code` as of Child::wait.
std::string crash_text(int exit_code);

}  // namespace stele::tools
