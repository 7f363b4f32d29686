#pragma once

#include "domain/sandbox.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// A variable as it is kept: `variable.value` is empty, `sealed_value` holds it.
struct SealedSandboxVariable {
    SandboxEnvironmentVariable variable;
    std::string sealed_value;
};

/// Sandbox configurations of one organisation at a time, and their variables.
class SandboxRepository {
public:
    explicit SandboxRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<SandboxConfig>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::optional<SandboxConfig>> find_by_type(std::string organization_id,
                                                                      std::string type) const;
    boost::asio::awaitable<std::vector<SandboxConfig>> list(std::string organization_id,
                                                            std::optional<std::string> type, Page page) const;

    /// The commit throws Error{conflict} if the organisation has one of this type already.
    void insert(Transaction& transaction, const SandboxConfig& config) const;
    /// The commit throws Error{conflict, changed_meanwhile} if the row no longer has the version that was read.
    void update(Transaction& transaction, const SandboxConfig& config) const;
    void remove(Transaction& transaction, const SandboxConfig& config) const;

    boost::asio::awaitable<std::optional<SealedSandboxVariable>> find_variable(std::string organization_id,
                                                                               std::string id) const;
    boost::asio::awaitable<std::vector<SealedSandboxVariable>> list_variables(std::string organization_id,
                                                                              std::string config_id, Page page) const;

    /// The commit throws Error{conflict} for a name that the configuration has already.
    void insert_variable(Transaction& transaction, const SealedSandboxVariable& variable) const;
    void update_variable(Transaction& transaction, const SealedSandboxVariable& variable) const;
    void remove_variable(Transaction& transaction, const SandboxEnvironmentVariable& variable) const;

    // What a call of a tool needs, for a round of reads: $1 organisation.
    static const Statement& local_statement();
    static const Statement& local_variables_statement();
    static std::vector<SandboxConfig> from_rows(Rows rows);
    static std::vector<SealedSandboxVariable> variables_from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
