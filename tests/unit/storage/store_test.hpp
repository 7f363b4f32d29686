#pragma once

#include "storage/sqlite_database.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <optional>

namespace stele::storage {

/// Tests with an embedded store of their own, which goes with its folder.
class StoreTest : public testing::Test {
protected:
    StoreTest()
        : folder_(std::filesystem::temp_directory_path() /
                  ("stele-store-" + std::to_string(::getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name())) {
        std::filesystem::remove_all(folder_);
        SqliteOptions options;
        options.file = folder_ / "stele.db";
        database_ = open_sqlite(options);
    }
    ~StoreTest() override {
        database_.reset();
        std::filesystem::remove_all(folder_);
    }

    /// What `work` gives or throws.
    template <class T>
    T run(boost::asio::awaitable<T> work) {
        std::optional<T> result;
        std::exception_ptr failure;
        boost::asio::io_context context(1);
        boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T value) {
            failure = std::move(thrown);
            result = std::move(value);
        });
        context.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }

    void commit(Transaction transaction) { run(database_->commit(std::move(transaction))); }

    std::filesystem::path folder_;
    std::unique_ptr<Database> database_;
};

}  // namespace stele::storage
