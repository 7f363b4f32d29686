#include "runtime/event_list.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

// Bounds what the growth of a part copies, and the room that it keeps for more.
constexpr std::size_t pieces_per_part_max = 128;
constexpr std::size_t part_bytes_max = 64u << 10;

}  // namespace

void EventList::append(RunEvent event) {
    const auto& piece = event.piece();
    const bool joins = piece && !parts_.empty() && !parts_.back().whole && parts_.back().shape == event.shape() &&
                       parts_.back().ends.size() < pieces_per_part_max && parts_.back().text.size() < part_bytes_max;
    if (!joins) {
        Part& part = parts_.emplace_back();
        part.first = size_;
        part.shape = event.shape();
        part.whole = !piece;
    }
    if (piece) {
        Part& part = parts_.back();
        part.text += *piece;
        part.ends.push_back(static_cast<std::uint32_t>(part.text.size()));
    }
    ++size_;
}

RunEvent EventList::event(const Part& part, std::size_t number) {
    if (part.whole) return {part.shape, std::nullopt};
    const std::size_t begin = number == 0 ? 0 : part.ends[number - 1];
    return {part.shape, part.text.substr(begin, part.ends[number] - begin)};
}

std::vector<RunEvent> EventList::range(std::size_t from, std::size_t most) const {
    std::vector<RunEvent> found;
    if (from >= size_) return found;
    const std::size_t end = from + std::min(most, size_ - from);
    found.reserve(end - from);
    auto part = std::upper_bound(parts_.begin(), parts_.end(), from,
                                 [](std::size_t number, const Part& each) { return number < each.first; });
    for (--part; from < end; ++part)
        for (; from < std::min(end, part->first + count(*part)); ++from)
            found.push_back(event(*part, from - part->first));
    return found;
}

}  // namespace stele::runtime
