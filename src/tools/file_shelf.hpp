#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stele::tools {

/// A file that is to be opened: `offset` counts its units from 0; without `length` to the end.
struct FileRequest {
    std::string file_name;  ///< "folder/file"
    std::optional<std::int64_t> offset, length;
};

/// What came of opening files. Parts are in the words of the model: "lines 50-54", "the full file"; empty: it was
/// closed.
struct OpenedFiles {
    struct File {
        std::string name, now, before;
    };
    std::vector<File> files;
    std::vector<std::string> closed_as_asked, closed_for_room;
};

struct GrepRequest {
    std::string pattern;
    std::string include;  ///< empty: all files
    std::size_t context_lines = 1;
    std::size_t offset = 0;  ///< of the first match that is shown
};

struct GrepResult {
    struct Line {
        std::size_t number = 0;
        std::string text;
    };
    struct Hit {
        std::string file_name;
        std::size_t line = 0;
        std::vector<Line> lines;  ///< the match with what stands around it
    };
    std::size_t files_attached = 0;  ///< before `include`
    std::size_t total = 0;           ///< matches; with `capped` there may be more
    bool capped = false, timed_out = false;
    std::vector<std::pair<std::string, std::size_t>> files;  ///< with their matches, most first
    std::vector<Hit> hits;                                   ///< of the page
    std::vector<std::string> skipped;                        ///< too large
};

/// A piece of a file that fits a query.
struct FoundPiece {
    std::string file_name;
    std::int64_t first = 0, last = 0;  ///< units, from 1; 0: not known
    std::string text;
};

struct FoundPieces {
    std::size_t files_attached = 0;
    std::vector<FoundPiece> pieces;  ///< best first
};

/// The files of the agent that calls a tool. Each throws Error{invalid_argument}, worded for the model, for what can't
/// be done; nothing is changed then.
class FileShelf {
public:
    virtual ~FileShelf() = default;

    /// At once: what is open is no part of the step.
    virtual boost::asio::awaitable<OpenedFiles> open(std::vector<FileRequest> requests, bool close_all_others) = 0;
    virtual boost::asio::awaitable<GrepResult> grep(GrepRequest request) = 0;
    virtual boost::asio::awaitable<FoundPieces> search(std::string query, std::size_t limit) = 0;
};

}  // namespace stele::tools
