#pragma once

#include "base/worker_threads.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <chrono>
#include <string>

namespace stele::tools {

struct PdfOptions {
    Walls walls = Walls::bubblewrap;
    std::chrono::seconds time_max{120};
    std::size_t memory_bytes_max = 1u << 30;
    std::size_t text_bytes_max = 64u << 20;
};

/// What a PDF says, laid out as on its pages, which are parted by a blank line (poppler's pdftotext -layout). A
/// stranger's file is read by a process of its own that sees nothing of the machine but the system's programs, without
/// a network, within limits of time, memory and output. Throws Error{invalid_argument} for a file that can't be read,
/// Error{timed_out} for one that takes too long, Error{unavailable} where the program or the walls can't be had: all
/// worded for whoever uploaded it. Works on the caller's executor and on `workers`.
boost::asio::awaitable<std::string> pdf_text(PdfOptions options, WorkerThreads& workers, std::string bytes);

}  // namespace stele::tools
