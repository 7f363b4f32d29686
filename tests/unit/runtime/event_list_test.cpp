#include "runtime/event_list.hpp"

#include <gtest/gtest.h>

#include <random>

namespace stele::runtime {
namespace {

std::shared_ptr<const LettaMessage> shape(const std::string& id) {
    ReasoningMessage message;
    message.id = id;
    return std::make_shared<const LettaMessage>(std::move(message));
}

std::pair<const LettaMessage*, std::optional<std::string>> told(const RunEvent& event) {
    return {event.shape().get(), event.piece()};
}

TEST(EventList, GivesBackWhatWasPutInWhereverItIsAskedFrom) {
    std::mt19937 dice(7);
    std::vector<RunEvent> expected;
    EventList list;
    auto present = shape("first");
    while (expected.size() < 1'500) {
        if (dice() % 100 == 0) present = shape("other");
        std::optional<std::string> piece;
        if (dice() % 50 != 0) piece.emplace(dice() % 500 == 0 ? 70'000 : dice() % 12, 'x');
        list.append(RunEvent(present, piece));
        expected.emplace_back(present, piece);
        ASSERT_EQ(list.size(), expected.size());
    }

    for (std::size_t from = 0; from <= expected.size() + 1; from += 1 + dice() % 7) {
        const std::size_t most = dice() % 400;
        const std::vector<RunEvent> found = list.range(from, most);

        ASSERT_EQ(found.size(), std::min(most, from < expected.size() ? expected.size() - from : 0));
        for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(told(found[i]), told(expected[from + i]));
    }
}

}  // namespace
}  // namespace stele::runtime
