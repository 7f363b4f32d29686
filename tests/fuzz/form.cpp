// Any bytes as a form: the first line is the header Content-Type, the rest the body. Parts lie within the body, and a
// body that does not lie in memory gives the same ones.
#include "base/error.hpp"
#include "net/multipart.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t line = std::min(text.find('\n'), text.size());
    const std::string_view body = text.substr(std::min(line + 1, text.size()));
    try {
        const auto parts = stele::net::parse_form(text.substr(0, line), body);
        const stele::TextBytes bytes{std::string(body)};
        std::size_t same = 0;
        for (const auto& part : stele::net::parse_form(text.substr(0, line), bytes))
            if (same == parts.size() || part.name != parts[same].name || part.size != parts[same++].content.size())
                std::abort();
        for (const auto& part : parts) {
            if (part.content.empty()) continue;
            if (part.content.data() < body.data() ||
                part.content.data() + part.content.size() > body.data() + body.size())
                std::abort();
        }
    } catch (const stele::Error& error) {
        if (error.code != stele::ErrorCode::invalid_argument) std::abort();
    }
    return 0;
}
