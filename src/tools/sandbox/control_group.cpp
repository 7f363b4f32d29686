#include "tools/sandbox/control_group.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;

constexpr char wanted_controllers[] = "memory pids cpu";
constexpr char prefix[] = "sandbox-";
constexpr char own_subgroup[] = "server";
constexpr std::uint64_t period_us = 100'000;
constexpr int leaving_looks = 50;
constexpr std::chrono::milliseconds leaving_interval{10};

std::string content_of(const fs::path& file) {
    std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

bool write_to(const fs::path& file, const std::string& text) {
    const Descriptor opened(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return opened && ::write(opened.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(std::move(word));
    return words;
}

bool holds(std::string_view text, const std::string& word) {
    const std::vector<std::string> words = words_of(text);
    return std::find(words.begin(), words.end(), word) != words.end();
}

// mountinfo writes blanks and backslashes of a path as \040 and the like.
std::string unescaped(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned code = 0;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
            made += static_cast<char>(code);
            i += 3;
        } else {
            made += text[i];
        }
    }
    return made;
}

bool is_writable(const fs::path& folder) {
    for (const char* file : {"cgroup.procs", "cgroup.subtree_control", ""})
        if (::access((folder / file).c_str(), W_OK) != 0) return false;
    return true;
}

// systemd marks what it delegates.
bool is_marked(const fs::path& folder) {
    std::array<char, 2> value{};
    for (const char* mark : {"trusted.delegate", "user.delegate"})
        if (::getxattr(folder.c_str(), mark, value.data(), value.size()) == 1 && value[0] == '1') return true;
    return false;
}

// Who is not root and can write was let in by somebody. Root can always: it takes the mark, or a container's own tree,
// which begins at the root of its namespace and unlike the machine's root has events.
bool is_delegated(const fs::path& folder, bool is_root_of_namespace) {
    if (!is_writable(folder)) return false;
    return ::geteuid() != 0 || is_marked(folder) ||
           (is_root_of_namespace && ::access((folder / "cgroup.events").c_str(), F_OK) == 0);
}

bool is_root_of_namespace(std::string_view cgroup) {
    return cgroup.starts_with("0::/\n") || cgroup.find("\n0::/\n") != cgroup.npos;
}

}  // namespace

fs::path own_group(std::string_view cgroup, std::string_view mountinfo) {
    std::string path;
    std::istringstream groups{std::string(cgroup)}, mounts{std::string(mountinfo)};
    for (std::string line; std::getline(groups, line);)
        if (line.starts_with("0::/")) path = line.substr(3);
    // "/../x" is outside of what this namespace shows.
    if (path.empty() || path.starts_with("/..")) return {};
    for (std::string line; std::getline(mounts, line);) {
        // id, parent, device, root, mount point, options, optional fields, "-", type, source, options
        const std::size_t separator = line.find(" - ");
        const std::vector<std::string> words = words_of(line.substr(0, separator));
        if (separator == line.npos || words.size() < 6 || !line.substr(separator + 3).starts_with("cgroup2 ")) continue;
        const std::string root = unescaped(words[3]), point = unescaped(words[4]);
        if (root == "/") return path == "/" ? fs::path(point) : fs::path(point + path);
        if (path == root) return point;
        if (path.starts_with(root + "/")) return point + path.substr(root.size());
    }
    return {};
}

std::vector<std::pair<std::string, std::string>> group_settings(const GroupLimits& limits,
                                                                std::string_view controllers) {
    std::vector<std::pair<std::string, std::string>> made;
    if (limits.memory_bytes > 0 && holds(controllers, "memory")) {
        made.emplace_back("memory.max", std::to_string(limits.memory_bytes));
        made.emplace_back("memory.swap.max", "0");
    }
    if (limits.processes > 0 && holds(controllers, "pids"))
        made.emplace_back("pids.max", std::to_string(limits.processes));
    if (limits.cpu_percent > 0 && holds(controllers, "cpu"))
        made.emplace_back("cpu.max",
                          std::to_string(limits.cpu_percent * (period_us / 100)) + " " + std::to_string(period_us));
    return made;
}

ControlGroup::ControlGroup(std::shared_ptr<ControlGroups> owner, fs::path folder)
    : owner_(std::move(owner)),
      folder_(std::move(folder)),
      entrance_(::open((folder_ / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC)) {}

ControlGroup::~ControlGroup() {
    write_to(folder_ / "cgroup.kill", "1");
    owner_->remove(folder_);
}

std::uint64_t ControlGroup::ended_for_memory() const {
    const std::vector<std::string> words = words_of(content_of(folder_ / "memory.events"));
    std::uint64_t count = 0;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2)
        if (words[i] == "oom_kill")
            std::from_chars(words[i + 1].data(), words[i + 1].data() + words[i + 1].size(), count);
    return count;
}

ControlGroups::ControlGroups(const std::string& place, const GroupLimits& limits) : limits_(limits) {
    if (place == "off") {
        missing_ = "switched off";
        return;
    }
    if (place != "auto") {
        settle(place, false);
        return;
    }
    const std::string cgroup = content_of("/proc/self/cgroup");
    const fs::path own = own_group(cgroup, content_of("/proc/self/mountinfo"));
    if (own.empty())
        missing_ = "there are no control groups of version 2 here";
    else if (is_delegated(own, is_root_of_namespace(cgroup)))
        settle(own, true);
    else
        missing_ = "the server's control group was not delegated to it (systemd: Delegate=yes)";
    // systemd's DelegateSubgroup starts the server in a group below the one that is delegated.
    const fs::path above = own.parent_path();
    if (missing_.empty() || own.empty() || !is_writable(above) || !is_marked(above)) return;
    missing_.clear();
    settle(above, false);
}

void ControlGroups::settle(const fs::path& folder, bool is_own) {
    const std::string offered = content_of(folder / "cgroup.controllers");
    if (!holds(offered, "memory") && !holds(offered, "pids")) {
        missing_ = folder.string() + " has no controllers for memory and processes";
        return;
    }
    if (is_own) {
        const fs::path subgroup = folder / own_subgroup;
        if (words_of(content_of(folder / "cgroup.procs")) != std::vector{std::to_string(::getpid())}) {
            missing_ = "other processes are in the server's control group";
            return;
        }
        ::mkdir(subgroup.c_str(), 0755);
        if (!write_to(subgroup / "cgroup.procs", std::to_string(::getpid()))) {
            missing_ = "the server can't move into a control group below its own";
            return;
        }
    }
    for (const std::string& controller : words_of(wanted_controllers)) {
        if (!holds(offered, controller)) continue;
        if (!holds(content_of(folder / "cgroup.subtree_control"), controller))
            write_to(folder / "cgroup.subtree_control", "+" + controller);
        if (holds(content_of(folder / "cgroup.subtree_control"), controller))
            controllers_ += (controllers_.empty() ? "" : " ") + controller;
    }
    if (controllers_.empty()) {
        missing_ = "the controllers of " + folder.string() + " can't be handed on";
        return;
    }
    folder_ = folder;
    // What a server that was killed has left. Groups of another one are not empty, and stay.
    std::error_code ignored;
    for (const fs::path& left : fs::directory_iterator(folder, ignored))
        if (left.filename().string().starts_with(prefix)) ::rmdir(left.c_str());
}

std::shared_ptr<ControlGroup> ControlGroups::make() {
    if (!missing_.empty()) return nullptr;
    fs::path folder;
    {
        const std::scoped_lock lock(mutex_);
        remove_left();
        folder = folder_ / (prefix + std::to_string(::getpid()) + "-" + std::to_string(++made_));
    }
    if (::mkdir(folder.c_str(), 0755) != 0)
        throw Error(ErrorCode::unavailable, "no control group can be made in " + folder_.string());
    auto group = std::make_shared<ControlGroup>(shared_from_this(), folder);
    bool limited = group->entrance() >= 0;
    for (const auto& [file, value] : group_settings(limits_, controllers_))
        limited &= write_to(folder / file, value) || !fs::exists(folder / file);  // a kernel may not count swap
    if (!limited) throw Error(ErrorCode::unavailable, "the control group " + folder.string() + " can't be limited");
    return group;
}

// Under the mutex, or when nobody else is left.
void ControlGroups::remove_left() {
    std::erase_if(leaving_, [](const fs::path& left) { return ::rmdir(left.c_str()) == 0 || errno == ENOENT; });
}

ControlGroups::~ControlGroups() {
    for (int look = 0; look < leaving_looks && !leaving_.empty(); ++look) {
        remove_left();
        if (!leaving_.empty()) std::this_thread::sleep_for(leaving_interval);
    }
}

void ControlGroups::remove(fs::path folder) {
    if (::rmdir(folder.c_str()) == 0) return;
    const std::scoped_lock lock(mutex_);
    leaving_.push_back(std::move(folder));
}

}  // namespace stele::tools
