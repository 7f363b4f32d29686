// Any bytes as a model server's answer: no crash, and cut anywhere they give the same answer.
#include "net/response_reader.hpp"

#include <cstdlib>

using namespace stele::net;

namespace {

std::string outcome(std::string_view bytes, std::size_t piece) {
    ResponseReader reader;
    reader.begin(false);
    std::string buffer, body;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        buffer += bytes.substr(at, piece);
        while (!buffer.empty()) {
            const std::size_t used = reader.feed(buffer);
            if (used > buffer.size()) std::abort();
            buffer.erase(0, used);
            if (used == 0) break;
        }
        body += reader.take_body();
        if (reader.state() == ResponseReader::State::done || reader.state() == ResponseReader::State::failed) break;
    }
    reader.feed_end();
    if (reader.state() == ResponseReader::State::failed) return "failed";
    std::string text = std::to_string(reader.status()) + (reader.keep_alive() ? " kept\n" : " closed\n") + body;
    for (const auto& [name, value] : reader.headers().fields()) text += "\n" + name + ":" + value;
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = outcome(bytes, size + 1);
    if (whole != "failed" && outcome(bytes, 7) != whole) std::abort();
    return 0;
}
