#include "tools/sandbox/process.hpp"

#include "base/error.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <system_error>

namespace stele::tools {
namespace {

namespace asio = boost::asio;

// Numbers that the child's descriptors are lifted to first, so that no mapping overwrites a source of another.
constexpr int lifted = 900;

class SpawnSetup {
public:
    SpawnSetup() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    ~SpawnSetup() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

void map_descriptors(SpawnSetup& setup, const std::vector<std::pair<int, int>>& descriptors) {
    for (std::size_t i = 0; i < descriptors.size(); ++i)
        posix_spawn_file_actions_adddup2(&setup.actions, descriptors[i].first, lifted + static_cast<int>(i));
    int last = 2;
    std::array<bool, 3> standard{};
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
        const int wanted = descriptors[i].second;
        posix_spawn_file_actions_adddup2(&setup.actions, lifted + static_cast<int>(i), wanted);
        last = std::max(last, wanted);
        if (wanted < 3) standard[static_cast<std::size_t>(wanted)] = true;
    }
    for (int number = 0; number < 3; ++number)
        if (!standard[static_cast<std::size_t>(number)])
            posix_spawn_file_actions_addopen(&setup.actions, number, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&setup.actions, last + 1);
}

// The child starts as if nobody had touched its signals.
void reset_signals(SpawnSetup& setup) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&setup.attributes, &none);
    posix_spawnattr_setsigdefault(&setup.attributes, &all);
    posix_spawnattr_setpgroup(&setup.attributes, 0);
    posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

int spawn(const Command& command) {
    SpawnSetup setup;
    map_descriptors(setup, command.descriptors);
    reset_signals(setup);
    if (!command.directory.empty()) posix_spawn_file_actions_addchdir_np(&setup.actions, command.directory.c_str());

    std::vector<std::string> assignments;
    for (const auto& [name, value] : command.environment) assignments.push_back(name + "=" + value);
    std::vector<char*> arguments{const_cast<char*>(command.program.c_str())}, environment;
    for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
    for (const std::string& assignment : assignments) environment.push_back(const_cast<char*>(assignment.c_str()));
    arguments.push_back(nullptr);
    environment.push_back(nullptr);

    pid_t id = -1;
    const int failure = posix_spawnp(&id, command.program.c_str(), &setup.actions, &setup.attributes, arguments.data(),
                                     environment.data());
    if (failure != 0)
        throw Error(ErrorCode::unavailable, command.program + " can't be started: " + std::strerror(failure));
    return id;
}

int exit_of(const siginfo_t& info) { return info.si_code == CLD_EXITED ? info.si_status : -info.si_status; }

std::pair<Descriptor, Descriptor> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorCode::unavailable, "no descriptors are left for a pipe");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

Child::Child(const asio::any_io_executor& executor, const Command& command) : id_(spawn(command)) {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
    if (handle < 0) {
        ::kill(-id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
        throw Error(ErrorCode::unavailable, "no descriptor is left for a child process");
    }
    handle_ = std::make_shared<asio::posix::stream_descriptor>(executor, handle);
}

Child::~Child() {
    if (reaped_) return;
    kill();
    const auto handle = handle_;
    handle->cancel();
    handle->async_wait(asio::posix::stream_descriptor::wait_read, [handle](const boost::system::error_code&) {
        siginfo_t info{};
        ::waitid(P_PIDFD, static_cast<id_t>(handle->native_handle()), &info, WEXITED | WNOHANG);
    });
}

asio::awaitable<int> Child::wait() {
    if (reaped_) co_return status_;
    co_await handle_->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(handle_->native_handle()), &info, WEXITED) == 0) status_ = exit_of(info);
    reaped_ = true;
    co_return status_;
}

void Child::kill() {
    if (reaped_) return;  // the number may be somebody else's by now
    ::kill(-id_, SIGKILL);
    ::syscall(SYS_pidfd_send_signal, handle_->native_handle(), SIGKILL, nullptr, 0);
}

void Child::terminate() {
    if (!reaped_) ::kill(-id_, SIGTERM);
}

PipedChild::PipedChild(const asio::any_io_executor& executor, Command command)
    : in(executor), out(executor), err(executor) {
    auto [child_in, our_in] = make_pipe();
    auto [our_out, child_out] = make_pipe();
    auto [our_err, child_err] = make_pipe();
    command.descriptors.insert(command.descriptors.end(),
                               {{child_in.get(), 0}, {child_out.get(), 1}, {child_err.get(), 2}});
    child = std::make_unique<Child>(executor, command);
    in.assign(our_in.release());
    out.assign(our_out.release());
    err.assign(our_err.release());
}

}  // namespace stele::tools
