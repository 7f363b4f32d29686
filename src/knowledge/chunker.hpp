#pragma once

#include "domain/file_type.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stele::knowledge {

/// A piece of a file that is searched as one: bytes of its text from `begin` up to `end`, trimmed, not empty.
struct Chunk {
    std::size_t begin = 0, end = 0;
    std::string headings;  ///< of documentation: under which the chunk begins, "Guide > Install"; else empty
};

struct ChunkSizes {
    std::size_t tokens = 300;         ///< most of one chunk; a token is taken to be 4 bytes
    std::size_t overlap_tokens = 50;  ///< with which a chunk repeats the end of the one before, unless at a heading
};

/// Cuts `text` (UTF-8) where it hurts least: at a heading, else at a blank line, at a line without indentation (code),
/// at a line, a sentence, a word; never within a character. Each cut lies in the second half of what a chunk may hold.
/// Every byte that is no white space is in a chunk. The same text gives the same chunks. There are 200,000 at most:
/// where the sizes would give more, chunks are larger than they say.
std::vector<Chunk> chunks_of(FileKind kind, std::string_view text, ChunkSizes sizes);

}  // namespace stele::knowledge
