#include "tools/sandbox/fork_server.hpp"

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "tools/sandbox/control_group.hpp"
#include "tools/sandbox/doorway.hpp"
#include "tools/sandbox/embedded_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace stele::tools {
namespace {

namespace asio = boost::asio;

constexpr int control_number = 3, bundle_number = 4, library_number = 5, entrance_number = 6;
constexpr std::size_t complaint_bytes_max = 4096;
// Options of the tmpfs that each call gets as /tmp.
constexpr char temporary_options[] = "size=64m,nr_inodes=16k,mode=1777";

Descriptor memory_file(const char* name, std::string_view content, bool sealed) {
    Descriptor file(::memfd_create(name, MFD_CLOEXEC | (sealed ? MFD_ALLOW_SEALING : 0u)));
    if (!file) throw Error(ErrorCode::unavailable, "no memory file can be made");
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written <= 0) throw Error(ErrorCode::unavailable, "no memory is left for the sandbox's files");
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (sealed) ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    return file;
}

}  // namespace

SandboxFiles::SandboxFiles() {
    std::string modules = "{";
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name == "stele_walls.so") {
            library = memory_file("stele-walls", file.content, true);
        } else if (file.name == "boot.py") {
            boot = file.content;
        } else {
            if (modules.size() > 1) modules += ',';
            append_json_string(modules, file.name.substr(0, file.name.rfind('.')));
            modules += ':';
            append_json_string(modules, file.content);
        }
    }
    modules += '}';
    bundle = memory_file("stele-sandbox", modules, true);
}

ForkServer::ForkServer(const boost::asio::any_io_executor& executor, const SandboxFiles& files,
                       const Enclosure& enclosure, const std::string& python, bool egress_private,
                       std::shared_ptr<ControlGroup> group)
    : last_used(std::chrono::steady_clock::now()), group_(std::move(group)) {
    auto [ours, theirs] = packet_pair();
    control_ = std::move(ours);
    complaints_ = memory_file("stele-complaints", {}, false);
    const auto in_child = [](int number) { return "/proc/self/fd/" + std::to_string(number); };
    std::vector<std::string> arguments{"-I", "-c", files.boot, in_child(bundle_number), in_child(library_number)};
    arguments.emplace_back(enclosure.walls == Walls::none ? "open" : "walled");
    arguments.emplace_back(temporary_options);
    if (enclosure.packages.empty())
        arguments.emplace_back();
    else
        arguments.push_back(enclosure.walls == Walls::none ? enclosure.packages.string() : "/env");
    arguments.push_back(std::to_string(enclosure.proxy_port));
    arguments.push_back(group_ ? std::to_string(entrance_number) : std::string());
    Command command = enclosed(enclosure, python, std::move(arguments),
                               {{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}});
    command.descriptors = {{complaints_.get(), 2},
                           {theirs.get(), control_number},
                           {files.bundle.get(), bundle_number},
                           {files.library.get(), library_number}};
    if (group_) command.descriptors.emplace_back(group_->entrance(), entrance_number);
    child_ = std::make_unique<Child>(executor, command);
    if (enclosure.proxy_port == 0) return;
    net::EgressRules rules;
    if (!egress_private) rules.allows = net::is_public;
    doorway_ =
        std::make_unique<Doorway>(executor, Descriptor(::fcntl(control_.get(), F_DUPFD_CLOEXEC, 0)), std::move(rules));
}

ForkServer::~ForkServer() = default;

bool ForkServer::send(int call, int out, int err, int watch) {
    const std::array<int, 4> descriptors{call, out, err, watch};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> ancillary{};
    char byte = 'c';
    iovec data{&byte, 1};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptors);
    std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof descriptors);
    return ::sendmsg(control_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

std::uint64_t ForkServer::ended_for_memory() const { return group_ ? group_->ended_for_memory() : 0; }

std::string ForkServer::complaint() const {
    std::string text(complaint_bytes_max, '\0');
    const ssize_t count = ::pread(complaints_.get(), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

}  // namespace stele::tools
