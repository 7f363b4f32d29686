#pragma once

#include "base/byte_source.hpp"
#include "domain/agent_file_reader.hpp"

#include <map>
#include <memory>

namespace stele::runtime {

/// Where an agent file is: `size` bytes of `bytes` from `offset` on.
struct AgentFileSource {
    std::shared_ptr<const ByteSource> bytes;
    std::uint64_t offset = 0, size = 0;
};

/// Files up to this cost in memory (AgentFilePart::cost) are kept while they are read, and stored by one transaction.
inline constexpr std::size_t kept_cost_max = 16u << 20;

/// Reads and checks a file, a bounded number of bytes at a time. One user at a time; blocks.
class AgentFileCheck {
public:
    explicit AgentFileCheck(AgentFileSource source) : source_(std::move(source)), reader_(kept_cost_max) {}

    /// True when all has been read. Throws as AgentFileReader does.
    bool read_some();
    AgentFileContents finish() { return reader_.finish(); }

private:
    AgentFileSource source_;
    AgentFileReader reader_;
    std::uint64_t read_ = 0;
};

/// Messages and texts of a file that was too large to be kept, a bounded number at a time. One user at a time; blocks.
class AgentFileStream {
public:
    AgentFileStream(AgentFileSource source, bool legacy) : source_(std::move(source)), pieces_(legacy) {}

    struct Some {
        struct Of {
            std::size_t owner = 0;  ///< the agent
            std::size_t number = 0;
            Message message;  ///< without agent and places
        };
        std::vector<Of> messages;
        std::vector<std::pair<std::size_t, std::string>> contents;  ///< by their files
        bool last = false;
    };
    Some next();

private:
    AgentFileSource source_;
    AgentFilePieces pieces_;
    std::map<std::size_t, StoredMessages> makers_;  ///< by agent
    std::uint64_t read_ = 0;
};

}  // namespace stele::runtime
