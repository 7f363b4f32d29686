// One set of SQL for two engines: a real PostgreSQL takes the migrations and prepares every statement of the
// repositories.
#include "storage/migration_runner.hpp"
#include "storage/statements.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace stele::storage {
namespace {

namespace fs = std::filesystem;

// The server refuses to run as root, so a child of another user does when we are.
std::string as_server_user(const std::string& command) {
    return ::geteuid() == 0 ? "runuser -u postgres -- sh -c '" + command + "'" : "sh -c '" + command + "'";
}

int shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

std::string binaries() {
    for (const auto& version : {"15", "16", "17"}) {
        const std::string path = std::string("/usr/lib/postgresql/") + version + "/bin";
        if (fs::exists(path + "/initdb")) return path;
    }
    return {};
}

/// A PostgreSQL with a folder of its own, reachable by a Unix socket only.
class Postgres {
public:
    Postgres() : folder_(fs::temp_directory_path() / ("stele-pg-" + std::to_string(::getpid()))) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        fs::permissions(folder_, fs::perms::all);
        const std::string data = folder_ / "data";
        if (shell(as_server_user(binaries() + "/initdb -D " + data + " -A trust -U stele -E UTF8")) != 0) return;
        started_ = shell(as_server_user(binaries() + "/pg_ctl -D " + data + " -w -o \"-k " + folder_.string() +
                                        " -c listen_addresses= -c fsync=off\" -l " + (folder_ / "log").string() +
                                        " start")) == 0;
        if (started_) connection_ = PQconnectdb(("host=" + folder_.string() + " user=stele dbname=postgres").c_str());
    }
    ~Postgres() {
        PQfinish(connection_);
        if (started_)
            shell(as_server_user(binaries() + "/pg_ctl -D " + (folder_ / "data").string() + " -m immediate stop"));
        fs::remove_all(folder_);
    }

    bool ready() const { return connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK; }

    /// Empty, or what PostgreSQL says against it.
    std::string execute(std::string_view sql) { return result(PQexec(connection_, std::string(sql).c_str())); }
    std::string prepare(const Statement& statement) {
        // The engine knows statements by the first 63 bytes of a name, and those of composed texts are alike there.
        return result(PQprepare(connection_, std::to_string(++prepared_).c_str(), std::string(statement.sql).c_str(), 0,
                                nullptr));
    }

private:
    static std::string result(PGresult* answer) {
        const ExecStatusType status = PQresultStatus(answer);
        std::string text =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? std::string() : PQresultErrorMessage(answer);
        PQclear(answer);
        return text;
    }

    fs::path folder_;
    int prepared_ = 0;
    bool started_ = false;
    PGconn* connection_ = nullptr;
};

TEST(PostgresDialect, TakesEveryMigrationAndStatement) {
    ASSERT_FALSE(binaries().empty()) << "PostgreSQL is not installed: scripts/setup test installs it";
    Postgres server;
    ASSERT_TRUE(server.ready());

    ASSERT_EQ(server.execute("BEGIN"), "");
    ASSERT_EQ(server.execute(create_migration_table), "");
    for (const PendingMigration& migration : pending_migrations(migration_files(), "postgres", {}))
        ASSERT_EQ(server.execute(migration.sql), "") << migration.record.name;
    ASSERT_EQ(server.execute("COMMIT"), "");

    const std::vector<Statement> statements = all_statements();
    ASSERT_GT(statements.size(), 40u);
    std::set<std::string_view> names;
    for (const Statement& statement : statements) {
        EXPECT_EQ(server.prepare(statement), "") << statement.sql;
        EXPECT_TRUE(names.insert(statement.name).second) << "two statements are called " << statement.name;
    }
}

}  // namespace
}  // namespace stele::storage
