#pragma once

#include "domain/message.hpp"

#include <cstddef>
#include <span>
#include <string>

/// Messages as plain text, for whoever writes a summary of them. Pure.
namespace stele::runtime {

struct TranscriptOptions {
    std::size_t bytes_max = 200'000;        ///< longer ones lose their middle, and say so
    std::size_t return_characters_max = 0;  ///< of a single tool return; 0: no bound
};

/// One paragraph a message: "[user] ...", "[assistant] ...", "[assistant calls NAME] {arguments}", "[NAME returned]
/// ...". Thoughts are left out, an earlier summary is shown by its own words.
std::string transcript(std::span<const Message> messages, const TranscriptOptions& options);

/// Notes on `messages` made without any model: how the conversation began, what was said last, and of what lies between
/// the beginnings, newest first, as much as `characters_max` holds. An earlier summary is kept before everything else.
/// The same messages give the same notes.
std::string extractive_summary(std::span<const Message> messages, std::size_t characters_max);

}  // namespace stele::runtime
