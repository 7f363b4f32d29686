#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stele {
class WorkerThreads;
}

namespace stele::tools {

class ControlGroups;

enum class Walls : std::uint8_t {
    bubblewrap,
    none,  ///< "unsafe-none": tools run with the rights of the server. Said by name, and warned of
};

/// What the sandbox of a call may connect to.
enum class ToolNetwork : std::uint8_t {
    none,
    public_only,  ///< public addresses, over HTTP and through the server's own proxy
    host,         ///< whatever the server's machine can reach
};

struct SandboxOptions {
    Walls walls = Walls::bubblewrap;
    ToolNetwork network = ToolNetwork::public_only;
    bool egress_private = false;         ///< public_only leads to private addresses and this machine too
    std::filesystem::path environments;  ///< folder of the installed requirements; made when first needed
    std::filesystem::path api_socket;    ///< of this server, for tools that use its API; empty: there is none
    std::string python = "/usr/bin/python3";
    std::string node;           ///< path of Node.js; empty: the one on PATH, if there is one
    std::string package_index;  ///< for pip, its own when empty
    std::uintmax_t packages_bytes_max = 4ull
                                        << 30;      ///< of all installed; above, those not used for longest are removed
    std::size_t environments_idle_max = 8;          ///< fork-servers kept, over all organisations
    std::chrono::seconds idle_time{600};            ///< after which a fork-server is stopped
    std::chrono::seconds install_time{600};         ///< for the requirements of one tool
    std::uintmax_t install_bytes_max = 1ull << 30;  ///< of the packages of one tool, on the disk
    std::uint64_t memory_bytes_max = 4ull << 30;    ///< of an installer; of a whole sandbox where there are groups
    std::shared_ptr<ControlGroups> groups;          ///< of all sandboxes; null: processes are limited one by one
};

/// What a whole program finds beside itself. In Python alone.
struct Program {
    struct Stub {
        std::string name;  ///< of the function, as far as it can be one's
        std::string path;  ///< of the API, to which its arguments are sent
        std::vector<std::string> parameters;
    };

    std::vector<std::pair<std::string, std::string>> preludes;  ///< name and source; run in front
    std::vector<Stub> stubs;
};

/// One call of a function whose source the user wrote. Only data: nothing of it ever becomes code but `source_code`.
struct SandboxCall {
    std::string organization_id;
    std::string source_type = "python";  ///< or "typescript", "javascript"
    std::string source_code;
    std::string function;               ///< the name to call
    std::optional<Program> program;     ///< the whole text is run instead, and gives back {"value", "text", "error"}
    std::string arguments_json = "{}";  ///< an object; by keyword
    std::string json_schema;            ///< of the tool, or empty: unknown keys of the arguments are dropped by it
    std::string args_json_schema;       ///< or empty
    std::vector<std::string> requirements;                         ///< "name==version" or "name"
    std::vector<std::pair<std::string, std::string>> environment;  ///< later wins
    std::optional<std::string> agent_id;
    std::string agent_state_json;  ///< of the API, without tools and rules; empty: no agent
    std::string run_token;         ///< with which the call may use the API of this server; empty: it may not
    std::chrono::milliseconds time_limit{180'000};
};

struct SandboxResult {
    bool ok = false;
    std::string value_json;  ///< what was returned, as JSON
    /// Of a call that failed: class name and text; or Timeout, Crash, Unavailable, InstallFailed.
    std::string error_type, error_message;
    std::string out, err;  ///< what was printed, cut in the middle at 1 MiB each; err holds the traceback too
    std::vector<std::pair<std::string, std::string>> block_values;  ///< label and new value, of blocks the tool changed
};

/// Runs what users wrote, apart from the server: a warm fork-server for each organisation and set of requirements, in
/// bubblewrap; each call is a fork of it with namespaces, limits and a /tmp of its own. One per server. Thread-safe;
/// works on the caller's executor, with what must outlive a call on `background`, and with files on `workers`.
class Sandbox {
public:
    Sandbox(boost::asio::any_io_executor background, WorkerThreads& workers, SandboxOptions options);
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    /// Carries out one call. A failure of the tool is a result, and so is a sandbox that can't be had. Cancellation
    /// kills all processes of the call, and so does its time limit.
    boost::asio::awaitable<SandboxResult> call(SandboxCall call);

    /// {"name", "description", "parameters"} of a source's last function, read and never run.
    /// Throws Error{invalid_argument} with the reason, Error{unavailable} without a sandbox.
    boost::asio::awaitable<std::string> derive_schema(std::string source_code, std::string source_type,
                                                      std::string args_json_schema);

    /// Empty if calls can be made. Else what is missing, and what to install or allow; found out by the first call or
    /// by `probe`.
    std::string unavailable_reason() const;

    /// True if Node.js is installed: then JavaScript can be run, and TypeScript.
    bool has_node() const;

    /// Finds out whether the walls stand on this machine, and logs it if not. For the start; on `background`.
    boost::asio::awaitable<void> probe();

    /// Ends all that is at work.
    void stop();

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace stele::tools
