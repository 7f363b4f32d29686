#pragma once

#include "llm/model.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What was said in an exchange with a model that did not go through an agent, whatever provider's shape it has.
///
///     requests   {"role": "user", "content": "text" | [{"type": "text", "text": ...}, ...]}      most of them
///                {"role": "user", "parts": [{"text": ...}]}                                       Gemini
///     answers    {"content": [{"type": "text", "text": ...}]} or {"content": "text"}             Anthropic
///                {"choices": [{"message": {"content": ...}}]}                                     OpenAI, chat
///                {"output": [{"type": "message", "content": [{"text": ...}]}]}                   OpenAI, responses
///                {"candidates": [{"content": {"parts": [{"text": ...}]}}]}                       Gemini
///
/// Calls of tools, their results, thoughts and pictures are of no account: nobody said them. Pure.
namespace stele::llm {

struct ForeignTurn {
    std::vector<std::string> said;  ///< by the user, since the answer before
    std::string answer;             ///< empty: the model said nothing
    Usage usage;

    bool empty() const { return said.empty() && answer.empty(); }
};

/// `messages`: a JSON array, or anything else for none; `answer`: a JSON object.
ForeignTurn read_foreign_turn(std::string_view messages, std::string_view answer);

}  // namespace stele::llm
