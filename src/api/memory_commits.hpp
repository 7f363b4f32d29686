#pragma once

#include "api/route.hpp"
#include "domain/memory_file.hpp"
#include "tools/git/git.hpp"

namespace stele::api {

inline constexpr std::int64_t commits_max = 1'000;

/// Commits as routes tell of them.
std::vector<MemoryCommit> shown_commits(std::vector<tools::GitCommit> commits);

/// The query's `limit`, 1 to commits_max. Throws Error{invalid_argument}.
std::int64_t limit_of(const Query& query, std::int64_t standard);

/// "/system/" -> "system": as git names it; "" for the root.
std::string path_in_repository(std::string path);

}  // namespace stele::api
