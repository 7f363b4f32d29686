#pragma once

#include "llm/model.hpp"
#include "llm/quirks.hpp"

namespace stele::llm {

/// The body of POST {base}/chat/completions. Written directly, without a document in between: histories are long and
/// this runs on every step. Equal turns give equal bytes, so that the provider's prefix cache holds. Pure.
std::string encode_chat_request(const ModelRequest& request, const Quirks& quirks, bool stream);

/// True for the models that reason by themselves and refuse temperature: o1, o3, o4, gpt-5 and their kin.
bool is_reasoning_model(std::string_view model);

}  // namespace stele::llm
