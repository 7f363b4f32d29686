// A page of groups is whole, whoever deletes some of them while it is read: an empty one would end a client's walk.
#include "base/time.hpp"
#include "domain/group.hpp"
#include "storage/group_repository.hpp"
#include "storage/page.hpp"
#include "storage/sqlite_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>

namespace stele::storage {
namespace {

using boost::asio::awaitable;
using testing::ElementsAre;

constexpr char organization[] = "org-00000000-0000-4000-8000-0000000000aa";
constexpr Statement insert_organization{"test.organization",
                                        "INSERT INTO organization (id, name, created_at) VALUES ($1, 'o', 0)"};

/// The store, with somebody who commits one transaction right behind the next read of a page.
class Meddled final : public Database {
public:
    explicit Meddled(Database& store) : store_(store) {}

    void meddle(Transaction with) { next_ = std::move(with); }

    awaitable<Rows> query_packed(Query query) override {
        Rows rows = co_await store_.query_packed(std::move(query));
        if (!next_.empty()) co_await store_.commit(std::exchange(next_, Transaction()));
        co_return rows;
    }
    awaitable<std::vector<Rows>> read(ReadBatch batch) override { return store_.read(std::move(batch)); }
    awaitable<std::vector<Rows>> commit(Transaction transaction) override {
        return store_.commit(std::move(transaction));
    }
    awaitable<void> settle() override { return store_.settle(); }
    DatabaseCounters counters() const override { return store_.counters(); }

private:
    Database& store_;
    Transaction next_;
};

class GroupList : public testing::Test {
protected:
    GroupList() : folder_(std::filesystem::temp_directory_path() / ("stele-groups-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(folder_);
        SqliteOptions options;
        options.file = folder_ / "stele.db";
        store_ = open_sqlite(options);
    }
    ~GroupList() override {
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    void run(awaitable<void> work) {
        boost::asio::io_context context(1);
        std::exception_ptr failure;
        boost::asio::co_spawn(context, std::move(work),
                              [&](std::exception_ptr thrown) { failure = std::move(thrown); });
        context.run();
        if (failure) std::rethrow_exception(failure);
    }

    static Group group(int number) {
        Group made;
        made.id = "group-00000000-0000-4000-8000-00000000000" + std::to_string(number);
        made.created_at = made.updated_at = from_micros(number);
        return made;
    }

    std::filesystem::path folder_;
    std::unique_ptr<Database> store_;
};

TEST_F(GroupList, IsReadAgainWhenOneIsDeletedMeanwhile) {
    Meddled database(*store_);
    const GroupRepository groups(database);
    std::vector<std::string> shown;
    run([&]() -> awaitable<void> {
        Transaction all;
        all.add(insert_organization, organization);
        for (int i = 1; i <= 2; ++i) groups.insert(all, organization, group(i));
        co_await database.commit(std::move(all));

        Transaction first;
        groups.remove(first, organization, group(1));
        database.meddle(std::move(first));
        Page page;
        page.limit = 1;
        page.ascending = true;
        std::vector<Group> found = co_await groups.list(organization, GroupFilter(), std::move(page));
        for (Group& each : found) shown.push_back(std::move(each.id));
    }());
    EXPECT_THAT(shown, ElementsAre(group(2).id));
}

}  // namespace
}  // namespace stele::storage
