// A page of groups is whole, whoever deletes some of them while it is read: an empty one would end a client's walk.
#include "base/time.hpp"
#include "domain/group.hpp"
#include "storage/group_repository.hpp"
#include "storage/page.hpp"
#include "tests/unit/storage/store_test.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

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
        Transaction due = std::exchange(next_, Transaction());
        if (!due.empty()) co_await store_.commit(std::move(due));
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

class GroupList : public StoreTest {
protected:
    static Group group(int number) {
        Group made;
        made.id = "group-00000000-0000-4000-8000-00000000000" + std::to_string(number);
        made.created_at = made.updated_at = from_micros(number);
        return made;
    }
};

TEST_F(GroupList, IsReadAgainWhenOneIsDeletedMeanwhile) {
    Meddled database(*database_);
    const GroupRepository groups(database);
    Transaction both, first;
    both.add(insert_organization, organization);
    for (int i = 1; i <= 2; ++i) groups.insert(both, organization, group(i));
    commit(std::move(both));
    groups.remove(first, organization, group(1));
    database.meddle(std::move(first));
    Page page;
    page.limit = 1;
    page.ascending = true;

    const std::vector<Group> shown = run(groups.list(organization, GroupFilter(), std::move(page)));

    ASSERT_EQ(shown.size(), 1u);
    EXPECT_EQ(shown.front().id, group(2).id);
}

}  // namespace
}  // namespace stele::storage
