#include "storage/sandbox_repository.hpp"

namespace stele::storage {
namespace {

// The columns of `to_config`.
#define STELE_SANDBOX_COLUMNS                                                                                       \
    "s.id, s.organization_id, s.type, s.config, s.created_by_id, s.last_updated_by_id, s.created_at, s.updated_at," \
    " s.version"

// The columns of `to_variable`.
#define STELE_VARIABLE_COLUMNS                                                                              \
    "v.id, v.organization_id, v.sandbox_config_id, v.name, v.sealed_value, v.description, v.created_by_id," \
    " v.last_updated_by_id, v.created_at, v.updated_at"

constexpr Statement select_by_id{"sandbox.by_id", "SELECT " STELE_SANDBOX_COLUMNS
                                                  " FROM sandbox_config s WHERE s.organization_id = $1 AND s.id = $2"};
constexpr Statement select_by_type{"sandbox.by_type",
                                   "SELECT " STELE_SANDBOX_COLUMNS
                                   " FROM sandbox_config s WHERE s.organization_id = $1 AND s.type = $2"};
constexpr Statement select_local{"sandbox.local",
                                 "SELECT " STELE_SANDBOX_COLUMNS
                                 " FROM sandbox_config s WHERE s.organization_id = $1 AND s.type = 'local'"};
constexpr Statement select_local_variables{
    "sandbox.local_variables", "SELECT " STELE_VARIABLE_COLUMNS
                               " FROM sandbox_config s JOIN sandbox_variable v ON v.sandbox_config_id = s.id"
                               " WHERE s.organization_id = $1 AND s.type = 'local' ORDER BY v.name"};
constexpr Statement insert_row{
    "sandbox.insert",
    "INSERT INTO sandbox_config (id, organization_id, type, config, created_by_id, last_updated_by_id, created_at,"
    " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Statement update_row{"sandbox.update",
                               "UPDATE sandbox_config SET config = $3, last_updated_by_id = $4, updated_at = $5,"
                               " version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $6"};
constexpr Statement delete_row{"sandbox.delete", "DELETE FROM sandbox_config WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_variable{"sandbox.variable",
                                    "SELECT " STELE_VARIABLE_COLUMNS
                                    " FROM sandbox_variable v WHERE v.organization_id = $1 AND v.id = $2"};
constexpr Statement insert_variable_row{
    "sandbox.insert_variable",
    "INSERT INTO sandbox_variable (id, organization_id, sandbox_config_id, name, sealed_value, description,"
    " created_by_id, last_updated_by_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Statement update_variable_row{
    "sandbox.update_variable",
    "UPDATE sandbox_variable SET name = $3, sealed_value = $4, description = $5, last_updated_by_id = $6,"
    " updated_at = $7 WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_variable_row{"sandbox.delete_variable",
                                        "DELETE FROM sandbox_variable WHERE organization_id = $1 AND id = $2"};

constexpr PageOrder configs_by_created{"sandbox_config s", "sandbox", "s.created_at", "s.id"};
constexpr PageOrder variables_by_created{"sandbox_variable v", "sandbox-env", "v.created_at", "v.id"};

SandboxConfig to_config(Row& row) {
    SandboxConfig made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.type = row.take_text(2);
    made.config.text = row.take_text(3);
    made.created_by_id = row.optional_text(4);
    made.last_updated_by_id = row.optional_text(5);
    made.created_at = from_micros(row.integer(6));
    made.updated_at = from_micros(row.integer(7));
    made.version = row.integer(8);
    return made;
}

SealedSandboxVariable to_variable(Row& row) {
    SealedSandboxVariable made;
    made.variable.id = row.take_text(0);
    made.variable.organization_id = row.take_text(1);
    made.variable.sandbox_config_id = row.take_text(2);
    made.variable.key = row.take_text(3);
    made.sealed_value = row.take_text(4);
    made.variable.description = row.optional_text(5);
    made.variable.created_by_id = row.optional_text(6);
    made.variable.last_updated_by_id = row.optional_text(7);
    made.variable.created_at = from_micros(row.integer(8));
    made.variable.updated_at = from_micros(row.integer(9));
    return made;
}

Error final_conflict(const std::string& text) {
    Error error(ErrorCode::conflict, text);
    error.final = true;
    return error;
}

Error name_taken(const SandboxEnvironmentVariable& variable) {
    return final_conflict("The sandbox configuration has a variable '" + variable.key + "' already");
}

std::int64_t micros(const std::optional<Timestamp>& time) { return to_micros(time.value_or(Timestamp{})); }

Select select_configs(std::string organization_id) {
    return Select("SELECT " STELE_SANDBOX_COLUMNS " FROM sandbox_config s WHERE s.organization_id = ?",
                  to_value(std::move(organization_id)));
}

Select select_variables(std::string organization_id, std::string config_id) {
    Select select("SELECT " STELE_VARIABLE_COLUMNS " FROM sandbox_variable v WHERE v.organization_id = ?",
                  to_value(std::move(organization_id)));
    select.where("v.sandbox_config_id = ?", std::move(config_id));
    return select;
}

}  // namespace

boost::asio::awaitable<std::optional<SandboxConfig>> SandboxRepository::find(std::string organization_id,
                                                                             std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_config(rows.front());
}

boost::asio::awaitable<std::optional<SandboxConfig>> SandboxRepository::find_by_type(std::string organization_id,
                                                                                     std::string type) const {
    Rows rows = co_await database_.query(select_by_type, std::move(organization_id), std::move(type));
    if (rows.empty()) co_return std::nullopt;
    co_return to_config(rows.front());
}

boost::asio::awaitable<std::vector<SandboxConfig>> SandboxRepository::list(std::string organization_id,
                                                                           std::optional<std::string> type,
                                                                           Page page) const {
    Select select = select_configs(organization_id);
    if (type) select.where("s.type = ?", *type);
    co_return from_rows(
        co_await read_page(database_, std::move(select), std::move(page), configs_by_created, organization_id));
}

void SandboxRepository::insert(Transaction& transaction, const SandboxConfig& config) const {
    transaction
        .add(insert_row, config.id, config.organization_id, config.type, config.config.text, config.created_by_id,
             config.last_updated_by_id, micros(config.created_at), micros(config.updated_at))
        .expect_free(final_conflict("The organization has a configuration of type '" + config.type + "' already"));
}

void SandboxRepository::update(Transaction& transaction, const SandboxConfig& config) const {
    transaction
        .add(update_row, config.organization_id, config.id, config.config.text, config.last_updated_by_id,
             micros(config.updated_at), config.version)
        .expect_row(changed_meanwhile("Sandbox", config.id));
}

void SandboxRepository::remove(Transaction& transaction, const SandboxConfig& config) const {
    transaction.add(delete_row, config.organization_id, config.id).expect_row(not_found("Sandbox", config.id));
    add_tombstone(transaction, config.organization_id, config.id,
                  {micros(config.created_at), micros(config.updated_at), {}});
}

boost::asio::awaitable<std::optional<SealedSandboxVariable>> SandboxRepository::find_variable(
    std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_variable, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_variable(rows.front());
}

boost::asio::awaitable<std::vector<SealedSandboxVariable>> SandboxRepository::list_variables(
    std::string organization_id, std::string config_id, Page page) const {
    Select select = select_variables(organization_id, std::move(config_id));
    co_return variables_from_rows(
        co_await read_page(database_, std::move(select), std::move(page), variables_by_created, organization_id));
}

void SandboxRepository::insert_variable(Transaction& transaction, const SealedSandboxVariable& made) const {
    const SandboxEnvironmentVariable& variable = made.variable;
    transaction
        .add(insert_variable_row, variable.id, variable.organization_id, variable.sandbox_config_id, variable.key,
             made.sealed_value, variable.description, variable.created_by_id, variable.last_updated_by_id,
             micros(variable.created_at), micros(variable.updated_at))
        .expect_free(name_taken(variable));
}

void SandboxRepository::update_variable(Transaction& transaction, const SealedSandboxVariable& changed) const {
    const SandboxEnvironmentVariable& variable = changed.variable;
    auto added =
        transaction.add(update_variable_row, variable.organization_id, variable.id, variable.key, changed.sealed_value,
                        variable.description, variable.last_updated_by_id, micros(variable.updated_at));
    added.expect_row(not_found("Sandbox variable", variable.id));
    added.expect_free(name_taken(variable));
}

void SandboxRepository::remove_variable(Transaction& transaction, const SandboxEnvironmentVariable& variable) const {
    transaction.add(delete_variable_row, variable.organization_id, variable.id)
        .expect_row(not_found("Sandbox variable", variable.id));
    add_tombstone(transaction, variable.organization_id, variable.id,
                  {micros(variable.created_at), micros(variable.updated_at), {}});
}

const Statement& SandboxRepository::local_statement() { return select_local; }
const Statement& SandboxRepository::local_variables_statement() { return select_local_variables; }

std::vector<SandboxConfig> SandboxRepository::from_rows(Rows rows) {
    std::vector<SandboxConfig> configs;
    for (Row& row : rows) configs.push_back(to_config(row));
    return configs;
}

std::vector<SealedSandboxVariable> SandboxRepository::variables_from_rows(Rows rows) {
    std::vector<SealedSandboxVariable> variables;
    for (Row& row : rows) variables.push_back(to_variable(row));
    return variables;
}

std::vector<Statement> SandboxRepository::statements() {
    Select configs = select_configs("o");
    configs.where("s.type = ?", "local");
    return {select_by_id,
            select_by_type,
            select_local,
            select_local_variables,
            insert_row,
            update_row,
            delete_row,
            select_variable,
            insert_variable_row,
            update_variable_row,
            delete_variable_row,
            configs.query().statement,
            select_variables("o", "c").query().statement};
}

}  // namespace stele::storage
