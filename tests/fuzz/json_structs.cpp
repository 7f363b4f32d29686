// Any bytes as the body of a request: either a struct or an error that names a place; what is read writes as JSON
// again.
#include "domain/agent.hpp"
#include "domain/batch.hpp"
#include "domain/block.hpp"
#include "domain/message.hpp"
#include "domain/schedule.hpp"

#include <cstdlib>

namespace {

template <class T>
void try_decode(std::string_view text) {
    try {
        const T value = stele::decode<T>(text);
        static_cast<void>(value);
    } catch (const stele::Error& error) {
        if (error.code == stele::ErrorCode::internal) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_decode<stele::CreateAgent>(text);
    try_decode<stele::UpdateAgent>(text);
    try_decode<stele::CreateBlock>(text);
    try_decode<stele::MessageRequest>(text);
    try_decode<stele::CreateSchedule>(text);
    try_decode<stele::CreateBatch>(text);
    if (const auto json = stele::parse_json(text); json && !stele::parse_json(json->text)) std::abort();
    return 0;
}
