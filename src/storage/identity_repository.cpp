#include "storage/identity_repository.hpp"

#include "base/ids.hpp"

#include <algorithm>

namespace stele::storage {
namespace {

constexpr std::int64_t links_told_max = 1'000;
constexpr std::size_t resolved_at_once_max = 256;

// The columns of an identity, in the order of `to_identity`.
#define STELE_IDENTITY_COLUMNS                                                                                      \
    "i.id, i.organization_id, i.project_id, i.identifier_key, i.name, i.identity_type, i.properties, i.created_at," \
    " i.updated_at, i.version"
#define STELE_RETURNED_IDENTITY                                                                                  \
    "id, organization_id, project_id, identifier_key, name, identity_type, properties, created_at, updated_at, " \
    "version"

constexpr Statement select_by_id{
    "identity.by_id", "SELECT " STELE_IDENTITY_COLUMNS " FROM identity i WHERE i.organization_id = $1 AND i.id = $2"};
constexpr Statement select_meant{"identity.meant",
                                 "SELECT i.id, i.project_id FROM identity i WHERE i.organization_id = $1"
                                 " AND (i.id = $2 OR i.identifier_key = $2)"};
constexpr Statement select_of_agent{"identity.of_agent", "SELECT " STELE_IDENTITY_COLUMNS
                                                         " FROM identity_agent l JOIN identity i"
                                                         " ON i.id = l.identity_id WHERE l.agent_id = $1"
                                                         " ORDER BY l.position, i.id LIMIT 1000"};
constexpr Statement select_agents{"identity.agents",
                                  "SELECT l.agent_id FROM identity_agent l WHERE l.identity_id = $1"
                                  " ORDER BY l.position, l.agent_id LIMIT $2"};
constexpr Statement select_blocks{"identity.blocks",
                                  "SELECT l.block_id FROM identity_block l WHERE l.identity_id = $1"
                                  " ORDER BY l.position, l.block_id LIMIT $2"};
constexpr Statement select_link_to_agent{
    "identity.link_to_agent",
    "SELECT i.id, l.position FROM identity i LEFT JOIN identity_agent l ON l.identity_id = i.id AND l.agent_id = $3"
    " WHERE i.organization_id = $1 AND i.id = $2"};
#define STELE_WHOM_IT_TELLS_OF(block)                                                                                 \
    block ".block_id, " block ".position, CASE WHEN EXISTS (SELECT 1 FROM identity_block l WHERE l.block_id = " block \
          ".block_id) THEN 1 ELSE 0 END, CASE WHEN EXISTS (SELECT 1 FROM identity_block l WHERE l.block_id = " block  \
          ".block_id AND l.identity_id = $3) THEN 1 ELSE 0 END"
constexpr Statement select_personas{
    "identity.personas",
    "SELECT " STELE_WHOM_IT_TELLS_OF("a")
    " FROM agent_block a WHERE a.agent_id = $1 AND a.label LIKE 'Persona\\_%' ESCAPE '\\'"
    " UNION ALL SELECT " STELE_WHOM_IT_TELLS_OF("c")
    " FROM conversation_block c WHERE c.conversation_id = $2 AND c.block_id IS NOT NULL"
    " AND c.replaces LIKE 'Persona\\_%' ESCAPE '\\'"};

constexpr Statement insert_row{
    "identity.insert",
    "INSERT INTO identity (id, organization_id, project_id, identifier_key, name, identity_type, properties,"
    " created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Statement upsert_row{
    "identity.upsert",
    "INSERT INTO identity (id, organization_id, project_id, identifier_key, name, identity_type, properties,"
    " created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)"
    " ON CONFLICT (organization_id, identifier_key, project_id) DO UPDATE SET name = excluded.name,"
    " identity_type = excluded.identity_type,"
    " properties = CASE WHEN $10 = 1 THEN excluded.properties ELSE identity.properties END,"
    " updated_at = excluded.updated_at, version = identity.version + 1 RETURNING " STELE_RETURNED_IDENTITY};
constexpr Statement update_row{
    "identity.update",
    "UPDATE identity SET project_id = $3, identifier_key = $4, name = $5, identity_type = $6, properties = $7,"
    " updated_at = $8, version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $9"};
constexpr Statement delete_row{"identity.delete", "DELETE FROM identity WHERE organization_id = $1 AND id = $2"};

Identity to_identity(Row& row) {
    Identity identity;
    identity.id = row.take_text(0);
    identity.organization_id = row.take_text(1);
    if (!row.text(2).empty()) identity.project_id = row.take_text(2);
    identity.identifier_key = row.take_text(3);
    identity.name = row.take_text(4);
    identity.identity_type = parse_identity_type(row.text(5)).value_or(IdentityType::other);
    if (row.text(6) != "[]") identity.properties = decode_stored<IdentityProperties>(row.text(6));
    identity.created_at = from_micros(row.integer(7));
    identity.updated_at = from_micros(row.integer(8));
    identity.version = row.integer(9);
    return identity;
}

std::vector<std::string> texts(Rows rows) {
    std::vector<std::string> found;
    for (Row& row : rows) found.push_back(row.take_text(0));
    return found;
}

std::string project_of(const Identity& identity) { return identity.project_id.value_or(""); }

Error key_taken(const Identity& identity) {
    Error error(ErrorCode::conflict,
                "An identity with the identifier_key '" + identity.identifier_key + "' exists already in this project");
    error.final = true;
    return error;
}

Select select_identities(const std::string& organization_id) {
    return Select("SELECT " STELE_IDENTITY_COLUMNS " FROM identity i WHERE i.organization_id = ?",
                  to_value(organization_id));
}

void add_filter(Select& select, const IdentityFilter& filter) {
    if (filter.name) select.where("LOWER(i.name) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.name));
    if (filter.project_id) select.where("i.project_id = ?", filter.project_id);
    if (filter.identifier_key) select.where("i.identifier_key = ?", filter.identifier_key);
    if (filter.identity_type) select.where("i.identity_type = ?", filter.identity_type);
}

// What has the form of an id is none but that; a key is that of the project, of none, or of the only one who has it.
std::string choose(Rows rows, const std::string& text, const std::string& project) {
    if (is_id(text, "identity")) std::erase_if(rows, [&](const Row& row) { return row.text(0) != text; });
    for (const std::string_view wanted : {std::string_view(project), std::string_view()})
        for (const Row& row : rows)
            if (row.text(1) == wanted) return row.text(0);
    if (rows.empty()) throw not_found("Identity", text);
    if (rows.size() == 1) return rows.front().text(0);
    Error error(ErrorCode::conflict, "The identifier_key '" + text + "' is that of " + std::to_string(rows.size()) +
                                         " identities; name one by its id, or a project by X-Project-Id");
    error.final = true;
    throw error;
}

}  // namespace

boost::asio::awaitable<void> IdentityRepository::fill_links(std::vector<Identity>& identities) const {
    if (identities.empty()) co_return;
    ReadBatch batch;
    for (const Identity& identity : identities)
        batch.add(select_agents, identity.id, links_told_max).add(select_blocks, identity.id, links_told_max);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    for (std::size_t i = 0; i < identities.size(); ++i)
        take_links(std::move(rows[2 * i]), std::move(rows[2 * i + 1]), identities[i]);
}

boost::asio::awaitable<std::optional<Identity>> IdentityRepository::find(std::string organization_id,
                                                                         std::string id) const {
    ReadBatch batch;
    batch.add(select_by_id, organization_id, id).add(select_agents, id, links_told_max);
    batch.add(select_blocks, id, links_told_max);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    if (rows[0].empty()) co_return std::nullopt;
    Identity identity = to_identity(rows[0].front());
    take_links(std::move(rows[1]), std::move(rows[2]), identity);
    co_return identity;
}

boost::asio::awaitable<std::vector<Identity>> IdentityRepository::list(std::string organization_id,
                                                                       IdentityFilter filter, Page page) const {
    Select select = select_identities(organization_id);
    add_filter(select, filter);
    const PageOrder order{"identity i", "identity", "i.created_at", "i.id"};
    std::vector<Identity> identities =
        from_rows(co_await read_page(database_, std::move(select), std::move(page), order, organization_id));
    co_await fill_links(identities);
    co_return identities;
}

boost::asio::awaitable<std::int64_t> IdentityRepository::count(std::string organization_id,
                                                               IdentityFilter filter) const {
    Select select("SELECT COUNT(*) FROM identity i WHERE i.organization_id = ?", to_value(std::move(organization_id)));
    add_filter(select, filter);
    Query query = select.query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    co_return rows.front().integer(0);
}

boost::asio::awaitable<std::string> IdentityRepository::resolve(std::string organization_id, std::string text,
                                                                std::optional<std::string> project_id) const {
    std::vector<std::string> texts{std::move(text)};
    std::vector<std::string> ids =
        co_await resolve_all(std::move(organization_id), std::move(texts), std::move(project_id));
    co_return std::move(ids.front());
}

boost::asio::awaitable<std::vector<std::string>> IdentityRepository::resolve_all(
    std::string organization_id, std::vector<std::string> texts, std::optional<std::string> project_id) const {
    std::vector<std::string> ids;
    if (texts.size() > resolved_at_once_max)
        throw refused("At most " + std::to_string(resolved_at_once_max) + " identities may be named at once");
    if (texts.empty()) co_return ids;
    ReadBatch batch;
    for (const std::string& text : texts) batch.add(select_meant, organization_id, text);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    for (std::size_t i = 0; i < texts.size(); ++i)
        ids.push_back(choose(std::move(rows[i]), texts[i], project_id.value_or("")));
    co_return ids;
}

boost::asio::awaitable<std::vector<std::optional<std::string>>> IdentityRepository::resolve_known(
    std::string organization_id, std::vector<std::string> texts, std::optional<std::string> project_id) const {
    std::vector<std::optional<std::string>> ids;
    if (texts.empty()) co_return ids;
    ReadBatch batch;
    for (const std::string& text : texts) batch.add(select_meant, organization_id, text);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        try {
            ids.emplace_back(choose(std::move(rows[i]), texts[i], project_id.value_or("")));
        } catch (const Error&) {
            ids.emplace_back();
        }
    }
    co_return ids;
}

boost::asio::awaitable<std::vector<Sender>> IdentityRepository::senders(std::string organization_id,
                                                                        std::vector<std::string> ids) const {
    std::vector<Sender> found;
    if (ids.empty()) co_return found;
    Select select("SELECT i.id, i.name, i.identifier_key FROM identity i WHERE i.organization_id = ?",
                  to_value(std::move(organization_id)));
    select.where_in("i.id IN (?)", ids);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    for (Row& row : rows) found.push_back(Sender{row.take_text(0), row.take_text(1), row.take_text(2)});
    co_return found;
}

void IdentityRepository::insert(Transaction& transaction, const Identity& identity) const {
    transaction
        .add(insert_row, identity.id, identity.organization_id, project_of(identity), identity.identifier_key,
             identity.name, to_string(identity.identity_type), to_json(identity.properties),
             to_micros(identity.created_at), to_micros(identity.updated_at), identity.version)
        .expect_free(key_taken(identity));
}

void IdentityRepository::upsert(Transaction& transaction, const Identity& identity, bool with_properties) const {
    transaction.add(upsert_row, identity.id, identity.organization_id, project_of(identity), identity.identifier_key,
                    identity.name, to_string(identity.identity_type), to_json(identity.properties),
                    to_micros(identity.created_at), to_micros(identity.updated_at), std::int64_t{with_properties});
}

void IdentityRepository::update(Transaction& transaction, Identity& identity) const {
    auto added = transaction.add(update_row, identity.organization_id, identity.id, project_of(identity),
                                 identity.identifier_key, identity.name, to_string(identity.identity_type),
                                 to_json(identity.properties), to_micros(identity.updated_at), identity.version);
    added.expect_row(changed_meanwhile("Identity", identity.id));
    added.expect_free(key_taken(identity));
    ++identity.version;
}

void IdentityRepository::remove(Transaction& transaction, const Identity& identity) const {
    add_tombstone(transaction, identity.organization_id, identity.id,
                  SortKeys{to_micros(identity.created_at), to_micros(identity.updated_at), std::nullopt});
    transaction.add(delete_row, identity.organization_id, identity.id).expect_row(not_found("Identity", identity.id));
}

void IdentityRepository::take_links(Rows agents, Rows blocks, Identity& into) {
    into.agent_ids = texts(std::move(agents));
    into.block_ids = texts(std::move(blocks));
}

const Statement& IdentityRepository::of_agent_statement() { return select_of_agent; }

const Statement& IdentityRepository::link_to_agent_statement() { return select_link_to_agent; }

const Statement& IdentityRepository::personas_statement() { return select_personas; }

std::vector<Identity> IdentityRepository::from_rows(Rows rows) {
    std::vector<Identity> identities;
    identities.reserve(rows.size());
    for (Row& row : rows) identities.push_back(to_identity(row));
    return identities;
}

std::vector<Statement> IdentityRepository::statements() {
    IdentityFilter everything;
    everything.name = everything.project_id = everything.identifier_key = everything.identity_type = "x";
    Select list = select_identities("o");
    add_filter(list, everything);
    std::vector<Statement> all = link_statements();
    for (const Statement& each : {select_by_id, select_meant, select_of_agent, select_agents, select_blocks, insert_row,
                                  upsert_row, update_row, delete_row, select_link_to_agent, select_personas})
        all.push_back(each);
    all.push_back(list.query().statement);
    return all;
}

}  // namespace stele::storage
