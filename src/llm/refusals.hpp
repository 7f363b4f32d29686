#pragma once

#include <set>
#include <string>
#include <string_view>

namespace stele::llm {

/// What a server has refused of chat-completion requests, learnt from its own words: names of fields, and a few words
/// for what is less than a field ("stream", "strict", "developer", "tool_choice.required", "max_tokens>" for a field
/// that wants its other name; "tool_images" for the images that tools returned, with "?" where it may be about these
/// images alone).
using Refusals = std::set<std::string, std::less<>>;

/// Adds what a refusal teaches. `status` and `body` are those of the error answer. False if it teaches nothing new:
/// then asking again is of no use.
bool learn(Refusals& refusals, int status, std::string_view body);

/// Takes out what holds for one request alone.
void forget_passing(Refusals& refusals);

/// `request`, a JSON object as encode_chat_request makes it, without what was refused. Fields become fewer or weaker,
/// never other: a forced tool becomes "required" and then "auto". Images of tools become words; those of users, who can
/// hear of the refusal, stay.
std::string without(const Refusals& refusals, std::string_view request);

}  // namespace stele::llm
