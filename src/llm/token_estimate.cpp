#include "llm/token_estimate.hpp"

#include <algorithm>

namespace stele::llm {
namespace {

constexpr std::string_view image_begin = "\"data:image/";

}  // namespace

std::int64_t estimated_tokens(std::size_t bytes) { return static_cast<std::int64_t>((bytes + 3) / 4); }

std::int64_t estimated_request_tokens(std::string_view request_json) {
    std::int64_t images = 0;
    std::size_t bytes = request_json.size();
    std::size_t begin = request_json.find(image_begin);
    while (begin != std::string_view::npos) {
        const std::size_t end = std::min(request_json.find('"', begin + 1), request_json.size());
        ++images;
        bytes -= end - begin;
        begin = request_json.find(image_begin, end);
    }
    return estimated_tokens(bytes) + images * image_tokens;
}

}  // namespace stele::llm
