// Any bytes as a model's stream or answer: no crash, and cut anywhere they give the same answer.
#include "llm/chat_answer.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    stele::llm::ChatStreamDecoder one, many;
    std::vector<stele::llm::Delta> whole, pieces;
    const bool read = one.feed(bytes, whole).has_value();
    bool all = true;
    for (std::size_t at = 0; at < size && all; at += 5) all = many.feed(bytes.substr(at, 5), pieces).has_value();
    if (read && all && whole.size() != pieces.size()) std::abort();
    one.finish();
    stele::llm::read_chat_answer(bytes);
    return 0;
}
