#include "api/offset_page.hpp"

#include "domain/hosted_error.hpp"

#include <charconv>
#include <limits>

namespace stele::api {
namespace {

constexpr std::int64_t limit_max = 100;

std::int64_t number_within(const Query& query, const char* name, std::int64_t otherwise, std::int64_t least,
                           std::int64_t most) {
    const auto text = query.text(name);
    if (!text) return otherwise;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failure != std::errc() || end != text->data() + text->size() || number < least || number > most)
        throw hosted_error(ErrorCode::invalid_argument, std::string("query.") + name + ": must be a number within " +
                                                            std::to_string(least) + " and " + std::to_string(most));
    return number;
}

}  // namespace

OffsetPage offset_page(const Query& query) {
    OffsetPage page;
    page.limit = number_within(query, "limit", page.limit, 1, limit_max);
    page.offset = number_within(query, "offset", 0, 0, std::numeric_limits<std::int32_t>::max());
    return page;
}

}  // namespace stele::api
