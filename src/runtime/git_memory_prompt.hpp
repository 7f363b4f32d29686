#pragma once

#include "domain/block.hpp"

#include <string>
#include <string_view>
#include <vector>

/// How prompts show the memory of an agent that has it in git: what is below system/ in full, the rest as names.
///
///     <self>                     the block system/persona, if there is one
///     <projection>$MEMORY_DIR/system/persona.md</projection>
///     ...its value
///     </self>
///
///     <memory>                   the other blocks below system/, a tag for each part of their paths
///     <project>
///     <gotchas>
///     <projection>$MEMORY_DIR/system/project/gotchas.md</projection>
///     <description>...</description>
///     ...its value
///     </gotchas>
///     </project>
///     </memory>
///
///     <external_projection>      a drawing of all others, but for skills/ (skills.hpp)
///     $MEMORY_DIR/
///     └── notes.md
///     </external_projection>
namespace stele::runtime {

/// Whether blocks are shown like this: an agent without any below system/ would see nothing of itself.
bool shows_as_files(const std::vector<Block>& blocks);

/// The section of these blocks. In order of their paths, whichever way they were attached.
std::string git_memory_section(const std::vector<Block>& blocks);

/// The section within a system text; empty if there is none.
std::string_view git_memory_of(std::string_view system);

/// What may stand as a tag for a part of a label: what is no letter, digit or one of _-./ is written as _.
std::string tag_of(const std::string& label);

}  // namespace stele::runtime
