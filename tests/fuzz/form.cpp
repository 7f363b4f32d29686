// Any bytes as a form: the first line is the header Content-Type, the rest the body. Parts lie within the body.
#include "base/error.hpp"
#include "net/multipart.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t line = std::min(text.find('\n'), text.size());
    const std::string_view body = text.substr(std::min(line + 1, text.size()));
    try {
        for (const auto& part : stele::net::parse_form(text.substr(0, line), body)) {
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
