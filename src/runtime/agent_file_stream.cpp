#include "runtime/agent_file_stream.hpp"

namespace stele::runtime {
namespace {

constexpr std::size_t read_at_once = 64u << 10;
constexpr std::size_t checked_at_once = 8u << 20;  // then others have the thread
constexpr std::size_t cost_at_once = 512u << 10;   // what one transaction stores: nobody waits long for the writer

// The next bytes of the file; empty at its end.
std::string piece_of(const AgentFileSource& source, std::uint64_t at) {
    std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(read_at_once, source.size - at)), '\0');
    piece.resize(source.bytes->read(source.offset + at, piece.data(), piece.size()));
    if (piece.empty() && at < source.size) throw Error(ErrorCode::unavailable, "The agent file can't be read back");
    return piece;
}

}  // namespace

bool AgentFileCheck::read_some() {
    for (const std::uint64_t end = read_ + checked_at_once; read_ < source_.size && read_ < end;) {
        const std::string piece = piece_of(source_, read_);
        reader_.feed(piece);
        read_ += piece.size();
    }
    return read_ >= source_.size;
}

AgentFileStream::Some AgentFileStream::next() {
    while (read_ < source_.size && pieces_.cost() < cost_at_once) {
        const std::string piece = piece_of(source_, read_);
        pieces_.feed(piece);
        read_ += piece.size();
    }
    Some some;
    some.last = read_ >= source_.size;
    for (AgentFilePiece& piece : pieces_.take()) {
        if (piece.part.kind == AgentFilePart::Kind::text) {
            some.contents.emplace_back(piece.part.owner, std::move(piece.content));
            continue;
        }
        Some::Of& of = some.messages.emplace_back();
        of.owner = piece.part.owner;
        of.number = piece.part.index;
        of.message = makers_[of.owner].next(piece.message);
    }
    return some;
}

}  // namespace stele::runtime
