#pragma once

#include "tools/sandbox/process.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tools {

/// Where a sandbox finds the socket of the server's API.
inline constexpr char api_socket_inside[] = "/run/stele/api.sock";

/// What one sandbox is to be like. Pure data: the machine is looked at by `bubblewrap`.
struct Enclosure {
    Walls walls = Walls::bubblewrap;
    int proxy_port = 0;                        ///< inside, of the way out; 0: there is none
    bool shares_network = false;               ///< of the machine; else there is nothing but a loopback of its own
    std::filesystem::path packages;            ///< stands at /env, read-only; empty: none
    std::filesystem::path writable;            ///< stands at /build; empty: none
    std::vector<std::filesystem::path> shown;  ///< further folders, read-only, where they are
    bool resigns = false;                      ///< as root the program gives itself another user id at once
    std::filesystem::path api_socket;          ///< stands at api_socket_inside; empty: none
    bool forks = false;                        ///< holds a fork-server: as root it may give itself another user id
};

/// The command that runs `program` with `arguments` in the enclosure. Descriptors and environment are the caller's to
/// add; the environment inside is `environment` and nothing else.
Command enclosed(const Enclosure& enclosure, const std::string& program, std::vector<std::string> arguments,
                 const std::vector<std::pair<std::string, std::string>>& environment);

/// Folders that an interpreter needs beside /usr: its own, if it lives elsewhere.
std::vector<std::filesystem::path> folders_of(const std::string& program);

/// Path of an executable, links resolved, that the server's PATH names unless `name` is a path itself; empty if there
/// is none.
std::string find_program(const std::string& name);

/// What an operator can do about a sandbox that did not start: `complaint` is what it said on standard error.
std::string advice(std::string_view complaint, const std::string& python);

}  // namespace stele::tools
