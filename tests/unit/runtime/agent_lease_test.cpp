#include "runtime/agent_lease.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

namespace asio = boost::asio;

struct Asking {
    asio::io_context loop;
    std::vector<Lease> held;
    bool done = false;

    void ask(LeaseTable& table, std::vector<std::string> keys) {
        asio::co_spawn(loop, table.acquire_all(std::move(keys)), [this](std::exception_ptr, std::vector<Lease> leases) {
            held = std::move(leases);
            done = true;
        });
        work();
    }
    void work() {
        loop.restart();
        loop.poll();
    }
};

TEST(LeaseTable, GivesSeveralAtOnce) {
    LeaseTable table;
    Asking asking;
    asking.ask(table, {"a", "b", "c"});

    ASSERT_TRUE(asking.done);
    EXPECT_EQ(asking.held.size(), 3u);
    EXPECT_FALSE(table.try_acquire("a") || table.try_acquire("b") || table.try_acquire("c"));
    asking.held.clear();
    EXPECT_TRUE(table.try_acquire("c"));
}

TEST(LeaseTable, HoldsNoneOfSeveralWhileItWaitsForOne) {
    LeaseTable table;
    auto busy = table.try_acquire("b"), busy_too = table.try_acquire("c");
    Asking asking;
    asking.ask(table, {"a", "b", "c"});

    EXPECT_FALSE(asking.done);
    EXPECT_TRUE(table.try_acquire("a"));
    busy.reset();
    asking.work();
    EXPECT_FALSE(asking.done);
    EXPECT_TRUE(table.try_acquire("a") && table.try_acquire("b"));
    busy_too.reset();
    asking.work();
    EXPECT_TRUE(asking.done);
    EXPECT_FALSE(table.try_acquire("a") || table.try_acquire("b") || table.try_acquire("c"));
}

}  // namespace
}  // namespace stele::runtime
