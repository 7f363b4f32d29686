// Any bytes as an agent file, in pieces: it is read, or refused with a reason; what is read becomes messages, and what
// is read without its messages tells them when it is read again.
#include "domain/agent_file_reader.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

template <class Reader>
void feed(Reader& reader, std::string_view text, std::size_t size) {
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) reader.feed(text.substr(0, size));
}

stele::AgentFileContents read(std::string_view text, std::size_t kept) {
    stele::AgentFileReader reader(kept);
    feed(reader, text, 1 + text.size() % 13);
    return reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const stele::AgentFileContents whole = read(text, static_cast<std::size_t>(-1));
        std::size_t messages = 0;
        for (const stele::FileAgent& agent : whole.file.agents) {
            stele::StoredMessages maker;
            for (const stele::FileMessage& message : agent.links.messages)
                stele::file_message(maker.next(message), "UTC");
            messages += agent.links.messages.size();
        }
        const stele::AgentFileContents bare = read(text, 0);
        stele::AgentFilePieces pieces(bare.legacy);
        feed(pieces, text, 7);
        for (const stele::AgentFilePiece& piece : pieces.take())
            messages -= piece.part.kind == stele::AgentFilePart::Kind::text ? 0 : 1;
        if (messages != 0) std::abort();
    } catch (const stele::Error& error) {
        if (error.code != stele::ErrorCode::invalid_argument) std::abort();
    }
    return 0;
}
