// Any bytes as an event stream: cut anywhere they give the same events.
#include "net/sse.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::vector<stele::net::SseEvent> whole, pieces;
    stele::net::SseReader one(1u << 16), many(1u << 16);
    const bool read = one.feed(bytes, whole).has_value();
    bool all = true;
    for (std::size_t at = 0; at < size; at += 3) all = all && many.feed(bytes.substr(at, 3), pieces).has_value();
    if (read && all && whole != pieces) std::abort();
    return 0;
}
