#pragma once

#include "tools/sandbox/descriptor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele::tools {

/// What is to be started. Nothing of the server's own environment, and no descriptor but the named ones, is handed on.
struct Command {
    std::string program;  ///< a path, or a name that is looked up in the server's PATH
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;
    std::string directory;                         ///< to work in; empty: the server's
    std::vector<std::pair<int, int>> descriptors;  ///< of ours, and its number in the child; 0-2 unnamed: /dev/null
};

/// A child process that leads a process group of its own. It is killed, with its group, and reaped when this is
/// destroyed. Belongs to the thread of its executor.
class Child {
public:
    /// Starts it by posix_spawn: the server is far too big to be forked, and has threads.
    /// Throws Error{unavailable} that names the program if it can't be started.
    Child(const boost::asio::any_io_executor& executor, const Command& command);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int id() const { return id_; }

    /// Waits for its end: the exit code, or -n if signal n ended it. Cancellation leaves the child as it is.
    boost::asio::awaitable<int> wait();

    /// SIGKILL to its group, and to itself in case it has left it. From any thread while this lives.
    void kill();
    /// The polite form, of its group.
    void terminate();

private:
    int id_ = -1;
    std::shared_ptr<boost::asio::posix::stream_descriptor> handle_;  ///< pidfd, readable when it has ended
    bool reaped_ = false;
    int status_ = 0;
};

/// A child whose three standard streams are pipes to the server.
class PipedChild {
public:
    /// `command.descriptors` must leave 0-2 alone. Throws as Child.
    PipedChild(const boost::asio::any_io_executor& executor, Command command);

    boost::asio::posix::stream_descriptor in;        ///< what is written here it reads; close it to say "no more"
    boost::asio::posix::stream_descriptor out, err;  ///< at their end when the child and all who inherited them are
    std::unique_ptr<Child> child;
};

}  // namespace stele::tools
