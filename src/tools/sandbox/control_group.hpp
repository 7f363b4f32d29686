#pragma once

#include "tools/sandbox/descriptor.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Control groups, version 2 (the kernel's Documentation/admin-guide/cgroup-v2.rst): what counts the processes of a
// sandbox and their memory together, where rlimits count each process alone. They are used where the server's own group
// was delegated to it (systemd's Delegate=yes, a container with a tree of its own), or in a folder that the operator
// names.
namespace stele::tools {

/// What all processes of one sandbox may use together. 0: what the machine has.
struct GroupLimits {
    std::uint64_t memory_bytes = 0;
    std::uint64_t processes = 0;
    std::uint64_t cpu_percent = 0;  ///< 150: one and a half of the machine's processors
};

/// Folder of the group that a process is in; empty if no tree of version 2 shows it. The texts are those of
/// /proc/self/cgroup (cgroups(7)) and /proc/self/mountinfo (proc(5)). Pure.
std::filesystem::path own_group(std::string_view cgroup, std::string_view mountinfo);

/// The files of a group and what is written to them, as far as `controllers` (words) can do it. Pure.
std::vector<std::pair<std::string, std::string>> group_settings(const GroupLimits& limits,
                                                                std::string_view controllers);

class ControlGroups;

/// The group of one sandbox. When this is destroyed whatever is left in it is killed, and it is removed. Thread-safe.
class ControlGroup {
public:
    ControlGroup(std::shared_ptr<ControlGroups> owner, std::filesystem::path folder);
    ~ControlGroup();
    ControlGroup(const ControlGroup&) = delete;
    ControlGroup& operator=(const ControlGroup&) = delete;

    /// Whoever writes "0" here is in the group from then on, with all that it starts. To be handed to a sandbox.
    int entrance() const { return entrance_.get(); }

    /// How many processes the kernel has ended here because the memory of the group was used up.
    std::uint64_t ended_for_memory() const;

private:
    const std::shared_ptr<ControlGroups> owner_;
    const std::filesystem::path folder_;
    Descriptor entrance_;
};

/// Where the groups of sandboxes are made. One per server. Thread-safe.
class ControlGroups : public std::enable_shared_from_this<ControlGroups> {
public:
    /// `place`: "auto" for the server's own group, if that was delegated to it (the server then moves into a subgroup:
    /// a group that has subgroups may hold no process); "off"; or a folder of the operator's. Never throws: where there
    /// are no groups, `missing` tells why.
    ControlGroups(const std::string& place, const GroupLimits& limits);
    /// Waits a moment for processes that have been killed, to remove their groups.
    ~ControlGroups();
    ControlGroups(const ControlGroups&) = delete;
    ControlGroups& operator=(const ControlGroups&) = delete;

    /// Empty if groups are made. Else why not.
    const std::string& missing() const { return missing_; }

    /// The controllers that limit them, as words.
    const std::string& controllers() const { return controllers_; }

    const GroupLimits& limits() const { return limits_; }

    /// A new group; null where there are none. Throws Error{unavailable} if it can't be made.
    std::shared_ptr<ControlGroup> make();

private:
    friend ControlGroup;

    void settle(const std::filesystem::path& folder, bool is_own);
    void remove_left();
    void remove(std::filesystem::path folder);

    const GroupLimits limits_;
    std::filesystem::path folder_;
    std::string missing_, controllers_;
    std::mutex mutex_;
    std::uint64_t made_ = 0;
    std::vector<std::filesystem::path> leaving_;  ///< their processes are ending
};

}  // namespace stele::tools
