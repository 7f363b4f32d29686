// Any bytes as a request: no crash, and cut anywhere they give the same request.
#include "net/request_reader.hpp"

#include <cstdlib>

using namespace stele::net;

namespace {

std::string outcome(std::string_view bytes, std::size_t piece) {
    RequestReader reader({8u << 10, 1u << 10, 64u << 10});
    HttpRequest request;
    reader.begin(request);
    std::string buffer;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        buffer += bytes.substr(at, piece);
        while (!buffer.empty()) {
            const std::size_t used = reader.feed(buffer);
            if (used > buffer.size()) std::abort();
            buffer.erase(0, used);
            if (used == 0) break;
        }
        if (reader.state() == RequestReader::State::done || reader.state() == RequestReader::State::failed) break;
    }
    if (reader.state() == RequestReader::State::failed) return "failed";
    if (reader.state() != RequestReader::State::done) return "more";
    std::string text = request.target + "\n" + request.body;
    for (const auto& [name, value] : request.headers.fields()) text += "\n" + name + ":" + value;
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = outcome(bytes, size + 1);
    // A request that is whole may not turn into another one because its bytes came slowly.
    if (whole != "failed" && whole != "more" && outcome(bytes, 7) != whole) std::abort();
    return 0;
}
