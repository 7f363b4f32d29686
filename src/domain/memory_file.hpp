#pragma once

#include "domain/block.hpp"

#include <array>

/// A memory block as a file of an agent's git memory. Pure.
///
///     system/persona.md          block "system/persona"
///     skills/review/SKILL.md     block "skills/review/SKILL.md": below skills/ a label is a path
///
///     ---
///     description: Who I am      YAML scalars; members that are not ours stay as they are
///     limit: 20000               left out at its default
///     read_only: true            left out unless true
///     ---
///
///     the value, and a line feed
namespace stele {

/// The tag that gives an agent git memory. Taking it away again does not take the memory away.
inline constexpr char git_memory_tag[] = "git-memory-enabled";

/// The words of a block that a file holds.
struct MemoryFile {
    std::string value;
    std::optional<std::string> description;
    std::optional<std::int64_t> limit;
    bool read_only = false;

    bool operator==(const MemoryFile&) const = default;
};

/// Where the block of this label is; nothing for a label that can't be a path (".", "..", ".git" or an empty part).
std::optional<std::string> path_of_label(std::string_view label);

/// Which block a file is; nothing for one that is none.
std::optional<std::string> label_of_path(std::string_view path);

/// What a file says. Text without a head is all value.
MemoryFile read_memory_file(std::string_view text);

/// What a block says. Its limit counts as absent at the default.
MemoryFile memory_file_of(const Block& block);

/// The text of a file that says `wanted`. `before`: of the file that it replaces, whose other members stay.
std::string memory_file_text(const MemoryFile& wanted, std::string_view before);

/// Makes `block` say what `file` does. True if anything changed.
bool apply(const MemoryFile& file, Block& block);

// Answers of /v1/agents/{agent_id}/memory-files.

struct MemoryEntry {
    std::string name;  ///< relative to the directory
    std::string type;  ///< file or directory
};
BOOST_DESCRIBE_STRUCT(MemoryEntry, (), (name, type))

struct MemoryDirectory {
    std::string path;
    std::vector<MemoryEntry> entries;
    std::int64_t depth = 1;
};
BOOST_DESCRIBE_STRUCT(MemoryDirectory, (), (path, entries, depth))

struct MemoryFileContent {
    std::string path;
    std::string content;
    std::string ref;
};
BOOST_DESCRIBE_STRUCT(MemoryFileContent, (), (path, content, ref))

struct MemoryCommit {
    std::string sha;
    std::string message;
    Timestamp timestamp{};
    std::optional<std::string> author_name;
};
BOOST_DESCRIBE_STRUCT(MemoryCommit, (), (sha, message, timestamp, author_name))

struct MemoryHistory {
    std::string path;
    std::vector<MemoryCommit> commits;
};
BOOST_DESCRIBE_STRUCT(MemoryHistory, (), (path, commits))

// Repositories that agents share by mounting them (/v1/repositories).

struct MemoryRepository {
    std::string id;  ///< "repository-<uuid>"
    std::string name;
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(MemoryRepository, (), (id, name, created_at, updated_at))

/// Body of POST /v1/repositories.
struct MemoryRepositoryCreate {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(MemoryRepositoryCreate, (), (name))
constexpr std::array<std::string_view, 1> required_members(const MemoryRepositoryCreate*) { return {"name"}; }
void check(const MemoryRepositoryCreate& request, Problems& problems);

struct MemoryRepositories {
    std::vector<MemoryRepository> repositories;
    bool has_next_page = false;
};
BOOST_DESCRIBE_STRUCT(MemoryRepositories, (), (repositories, has_next_page))

struct MemoryCommits {
    std::vector<MemoryCommit> commits;
};
BOOST_DESCRIBE_STRUCT(MemoryCommits, (), (commits))

/// One that an agent has mounted, or its own.
struct MountedRepository {
    std::string id;
    std::string name;
    bool is_primary = false;
};
BOOST_DESCRIBE_STRUCT(MountedRepository, (), (id, name, is_primary))

struct MountedRepositories {
    std::vector<MountedRepository> repositories;
};
BOOST_DESCRIBE_STRUCT(MountedRepositories, (), (repositories))

/// Body of POST /v1/agents/{agent_id}/repositories.
struct MountRequest {
    std::string repository_id;
};
BOOST_DESCRIBE_STRUCT(MountRequest, (), (repository_id))
constexpr std::array<std::string_view, 1> required_members(const MountRequest*) { return {"repository_id"}; }

}  // namespace stele
