#pragma once

#include "domain/agent_file.hpp"
#include "domain/agent_file_splitter.hpp"

namespace stele {

/// What is known of the messages of one agent in a file without having them.
struct AgentFileMessages {
    std::size_t count = 0;
    std::vector<std::size_t> window;  ///< those of the context window, by their numbers, in its order
    bool begins_with_system = false;  ///< the window
};

/// An agent file that has been read and found right.
struct AgentFileContents {
    AgentFile file;
    std::vector<AgentFileMessages> messages;  ///< by agent
    bool whole = true;  ///< `file` has the messages and texts too; else AgentFilePieces tells them
    bool legacy = false;
};

/// Reads an agent file that comes in pieces, cut anywhere, and checks all of it. Messages and texts are kept while they
/// take no more than `kept_cost_max` bytes of memory together.
/// Errors: Error{invalid_argument} (status 400) that names all that is wrong, references that lead nowhere included;
/// what can't be read on is told at once.
class AgentFileReader {
public:
    explicit AgentFileReader(std::size_t kept_cost_max);
    ~AgentFileReader();

    void feed(std::string_view bytes) { splitter_.feed(bytes); }
    AgentFileContents finish();

private:
    struct Seen;

    void take(const AgentFilePart& part, boost::json::value value);
    void keep(const AgentFilePart& part, FileMessage message, std::string content);

    std::size_t kept_cost_max_, kept_cost_ = 0;
    std::unique_ptr<Seen> seen_;
    AgentFileSplitter splitter_;
};

/// A message or a content of a file that AgentFileReader has found right.
struct AgentFilePiece {
    AgentFilePart part;  ///< a legacy message is one of agent 0
    FileMessage message;
    std::string content;  ///< a text, or the bytes of an image
};

/// Reads the file once more, for its messages and texts.
class AgentFilePieces {
public:
    explicit AgentFilePieces(bool legacy);

    void feed(std::string_view bytes) { splitter_.feed(bytes); }

    /// Those that have ended, in their order in the file.
    std::vector<AgentFilePiece> take() { return std::exchange(pieces_, {}); }
    std::size_t cost() const;  ///< of what take() would give

private:
    std::vector<AgentFilePiece> pieces_;
    AgentFileSplitter splitter_;
};

}  // namespace stele
