// Whatever belongs to an organisation goes with it: every table that names one is among those that are emptied.
#include "storage/organization_removal.hpp"

#include "storage/sqlite_database.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <filesystem>

namespace stele::storage {
namespace {

constexpr Statement select_tables{"test.tables_of_organizations",
                                  "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
                                  " WHERE m.type = 'table' AND c.name = 'organization_id' ORDER BY m.name"};

TEST(OrganizationRemoval, EmptiesEveryTableThatNamesAnOrganization) {
    const auto folder = std::filesystem::temp_directory_path() / ("stele-removal-" + std::to_string(::getpid()));
    SqliteOptions options;
    options.file = folder / "stele.db";
    auto database = open_sqlite(options);
    Rows tables;
    boost::asio::io_context context(1);
    boost::asio::co_spawn(
        context, [&]() -> boost::asio::awaitable<void> { tables = co_await database->query(select_tables); },
        [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
    context.run();
    database.reset();
    std::filesystem::remove_all(folder);

    ASSERT_GT(tables.size(), 15u);
    const std::vector<Statement> statements = OrganizationRemoval::statements();
    for (const Row& table : tables) {
        const std::string name = "organization.remove_" + table.text(0);
        EXPECT_TRUE(
            std::any_of(statements.begin(), statements.end(), [&](const Statement& each) { return each.name == name; }))
            << "src/storage/organization_removal.cpp knows nothing of the table " << table.text(0);
    }
}

}  // namespace
}  // namespace stele::storage
