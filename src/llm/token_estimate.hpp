#pragma once

#include <cstdint>
#include <string_view>

/// What fills a model's window where nobody has counted it. Pure.
namespace stele::llm {

/// What one image is taken for, since its bytes say nothing: providers count 765 (OpenAI, 1024 x 1024 in high detail)
/// to about 1,600 (Anthropic).
inline constexpr std::int64_t image_tokens = 1'000;

/// Tokens of so many bytes of text: a quarter, rounded up.
std::int64_t estimated_tokens(std::size_t bytes);
inline std::int64_t estimated_tokens(std::string_view text) { return estimated_tokens(text.size()); }

/// Of a chat-completions request in JSON, whose images are data URLs.
std::int64_t estimated_request_tokens(std::string_view request_json);

}  // namespace stele::llm
