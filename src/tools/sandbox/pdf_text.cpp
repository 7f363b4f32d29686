#include "tools/sandbox/pdf_text.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "net/within.hpp"
#include "tools/sandbox/bubblewrap.hpp"
#include "tools/sandbox/process.hpp"

#include <boost/asio/this_coro.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

namespace stele::tools {
namespace {

using boost::asio::awaitable;

constexpr std::size_t complaint_bytes_max = 500;
constexpr int incorrect_use = 99, permission_error = 3;
constexpr char nobody[] = "65534";

// A file without a name: what the process reads, and what it writes.
Descriptor unnamed_file(const char* label) {
    Descriptor file(::memfd_create(label, MFD_CLOEXEC));
    if (!file) throw Error(ErrorCode::unavailable, "The server has no memory for the file");
    return file;
}

void fill(const Descriptor& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written <= 0) throw Error(ErrorCode::unavailable, "The server has no memory for the file");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    ::lseek(file.get(), 0, SEEK_SET);
}

std::string contents(const Descriptor& file, std::size_t most) {
    std::string bytes;
    char piece[1u << 16];
    for (off_t at = 0; bytes.size() < most;) {
        const ssize_t read = ::pread(file.get(), piece, sizeof piece, at);
        if (read <= 0) break;
        bytes.append(piece, static_cast<std::size_t>(read));
        at += read;
    }
    return bytes;
}

Command command_of(const PdfOptions& options) {
    Enclosure enclosure;
    enclosure.walls = options.walls;
    std::vector<std::string> words;
    // Root would be exempt from some limits, and owns what lies in /usr.
    enclosure.resigns = options.walls == Walls::bubblewrap && ::geteuid() == 0;
    if (enclosure.resigns)
        for (const char* word : {"--reuid", nobody, "--regid", nobody, "--clear-groups", "--no-new-privs"})
            words.emplace_back(word);
    const std::string first = enclosure.resigns ? "/usr/bin/setpriv" : "/usr/bin/prlimit";
    if (enclosure.resigns) words.emplace_back("/usr/bin/prlimit");
    const auto limit = [&](const char* name, std::size_t value) {
        words.push_back(std::string("--") + name + "=" + std::to_string(value));
    };
    limit("as", options.memory_bytes_max);
    limit("cpu", static_cast<std::size_t>(options.time_max.count()));
    limit("fsize", options.text_bytes_max);
    limit("core", 0);
    limit("nofile", 64);
    for (const char* word : {"/usr/bin/pdftotext", "-q", "-layout", "-enc", "UTF-8", "-", "-"})
        words.emplace_back(word);
    return enclosed(enclosure, first, std::move(words), {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}});
}

std::unique_ptr<Child> started(const boost::asio::any_io_executor& executor, const Command& command) {
    try {
        return std::make_unique<Child>(executor, command);
    } catch (const Error& error) {
        throw Error(ErrorCode::unavailable, "PDF files can't be read here: " + advice(error.what(), "python3"));
    }
}

// The end of a process: 128 + n too, where a program in between tells of a signal.
[[noreturn]] void refuse(const PdfOptions& options, int code, std::string complaint) {
    if (complaint.find("bwrap:") != std::string::npos || complaint.find("prlimit:") != std::string::npos ||
        complaint.find("setpriv:") != std::string::npos) {
        if (complaint.find("pdftotext") != std::string::npos)
            throw Error(ErrorCode::unavailable,
                        "PDF files can't be read here: pdftotext is not installed (Debian: apt-get install "
                        "poppler-utils)");
        throw Error(ErrorCode::unavailable,
                    "PDF files can't be read here: the walls that keep their parser apart can't be had. " +
                        advice(complaint, "/usr/bin/python3"));
    }
    const auto is_signal = [&](int number) { return code == -number || code == 128 + number; };
    if (is_signal(SIGXFSZ))
        throw refused("The PDF can't be read: its text is longer than " + std::to_string(options.text_bytes_max) +
                      " bytes");
    if (is_signal(SIGXCPU) || is_signal(SIGKILL))
        throw refused("The PDF can't be read: its parser ran into its limit of time or memory");
    if (code < 0 || code > 128) throw refused("The PDF can't be read: its parser broke on it");
    if (complaint.find("password") != std::string::npos)
        throw refused("The PDF can't be read: it is protected by a password");
    if (code == permission_error) throw refused("The PDF can't be read: it does not permit its text to be copied");
    if (code == incorrect_use) throw refused("The PDF can't be read: its parser ran out of memory or broke on it");
    throw refused("The PDF can't be read: it is damaged, or no PDF");
}

}  // namespace

awaitable<std::string> pdf_text(PdfOptions options, WorkerThreads& workers, std::string bytes) {
    const Descriptor in = unnamed_file("pdf"), out = unnamed_file("text"), complaints = unnamed_file("complaints");
    const int in_number = ::dup(in.get());  // the work goes on when this is cancelled
    std::function<bool()> put_in = [in_number, bytes = std::move(bytes)] {
        const Descriptor own(in_number);
        fill(own, bytes);
        return true;
    };
    co_await workers.run(std::move(put_in));
    Command command = command_of(options);
    command.descriptors = {{in.get(), 0}, {out.get(), 1}, {complaints.get(), 2}};
    const auto executor = co_await boost::asio::this_coro::executor;
    const std::unique_ptr<Child> child = started(executor, command);
    int code = 0;
    bool late = false;
    try {
        code = co_await net::within(options.time_max, child->wait());
    } catch (const Error& error) {
        if (error.code != ErrorCode::timed_out) throw;
        late = true;
    }
    if (late)
        throw Error(ErrorCode::timed_out, "The PDF can't be read: its parser took longer than " +
                                              std::to_string(options.time_max.count()) + " seconds");
    if (code != 0) refuse(options, code, contents(complaints, complaint_bytes_max));
    const int out_number = ::dup(out.get());
    const std::size_t most = options.text_bytes_max;
    std::function<std::string()> take_out = [out_number, most] {
        const Descriptor own(out_number);
        std::string text = to_valid_utf8(contents(own, most));
        std::erase(text, '\0');
        std::replace(text.begin(), text.end(), '\f', '\n');
        return text;
    };
    co_return co_await workers.run(std::move(take_out));
}

}  // namespace stele::tools
