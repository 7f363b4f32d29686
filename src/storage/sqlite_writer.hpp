#pragma once

#include "storage/sqlite_connection.hpp"

#include <exception>
#include <memory>

namespace stele::storage {

/// Whoever waits for a job of the store. complete() may be called from any thread, once.
class Completion {
public:
    virtual ~Completion() = default;
    virtual void complete(std::exception_ptr failure, std::vector<Rows> rows) = 0;
};

struct WriteJob {
    Transaction transaction;
    std::unique_ptr<Completion> waiter;
    std::vector<Rows> rows;
    std::exception_ptr failure;
    bool settles = false;  ///< carries nothing, but waits for what commits have put off
};

/// Carries out all of `jobs` in one transaction of the engine (group commit): one fsync for all that waited. A job that
/// fails is rolled back alone and keeps its error; if the engine itself fails, all of the group fail and nothing is
/// changed. Every job has its rows or its failure afterwards; nobody is told yet.
void commit_group(SqliteConnection& connection, std::vector<WriteJob>& jobs);

}  // namespace stele::storage
