#include "storage/device_repository.hpp"

#include "storage/page.hpp"

namespace stele::storage {
namespace {

using boost::asio::awaitable;

// Devices and work folders as one table, with the columns of `to_device`. A folder is always connected.
#define STELE_DEVICES                                                                                          \
    "(SELECT id, organization_id, user_id, device_id, connection_id, connection_name, metadata, current_mode," \
    " first_seen_at, last_seen_at, 0 AS is_folder FROM device UNION ALL SELECT id, organization_id,"           \
    " created_by_id AS user_id, id AS device_id, id AS connection_id, connection_name, '{}' AS metadata,"      \
    " NULL AS current_mode, created_at AS first_seen_at, last_used_at AS last_seen_at, 1 AS is_folder FROM"    \
    " work_folder) d"
#define STELE_DEVICE_COLUMNS                                                                                           \
    "d.id, d.organization_id, d.user_id, d.device_id, d.connection_id, d.connection_name, d.metadata, d.current_mode," \
    " d.first_seen_at, d.last_seen_at"
#define STELE_FOLDER_COLUMNS                                                                              \
    "w.id, w.organization_id, w.created_by_id, w.id, w.id, w.connection_name, '{}', NULL, w.created_at, " \
    "w.last_used_at"
#define STELE_TELEPORT_COLUMNS                                                                                \
    "t.id, t.organization_id, t.idempotency_key, t.agent_id, t.conversation_id, t.source_connection_id,"      \
    " t.target_connection_id, t.target_device_id, t.target_connection_name, t.status, t.error, t.created_at," \
    " t.updated_at"

constexpr Statement select_one{"device.find",
                               "SELECT " STELE_DEVICE_COLUMNS " FROM " STELE_DEVICES
                               " WHERE d.organization_id = $1 AND (d.id = $2 OR d.device_id = $2 OR d.connection_id ="
                               " $2) ORDER BY d.first_seen_at LIMIT 1"};
constexpr Statement insert_row{
    "device.insert",
    "INSERT INTO device (id, organization_id, user_id, device_id, connection_id, connection_name, metadata,"
    " first_seen_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Statement update_row{
    "device.update",
    "UPDATE device SET connection_id = $3, connection_name = $4, metadata = $5, last_seen_at = $6"
    " WHERE organization_id = $1 AND id = $2"};
constexpr Statement update_seen{"device.note_seen",
                                "UPDATE device SET last_seen_at = $3, current_mode = $4"
                                " WHERE organization_id = $1 AND id = $2 AND connection_id = $5"};
constexpr Statement delete_row{"device.delete", "DELETE FROM device WHERE organization_id = $1 AND id = $2"};

constexpr Statement insert_folder_row{
    "work_folder.insert",
    "INSERT INTO work_folder (id, organization_id, agent_id, conversation_id, connection_name, created_by_id,"
    " created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Statement delete_folder{"work_folder.delete",
                                  "DELETE FROM work_folder WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_folder_of{"work_folder.of_agent",
                                     "SELECT " STELE_FOLDER_COLUMNS
                                     " FROM work_folder w WHERE w.organization_id = $1 AND w.agent_id = $2"
                                     " AND COALESCE(w.conversation_id, '') = $3 ORDER BY w.created_at DESC, w.id DESC"
                                     " LIMIT 1"};
constexpr Statement select_folder_agent{"work_folder.agent",
                                        "SELECT agent_id FROM work_folder WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_folders{"work_folder.list", "SELECT " STELE_FOLDER_COLUMNS
                                                       ", w.agent_id FROM work_folder w WHERE w.organization_id = $1"
                                                       " AND (CAST($2 AS TEXT) = '' OR w.agent_id = $2)"
                                                       " ORDER BY w.created_at DESC, w.id DESC LIMIT $3"};
constexpr Statement select_known_folder{"work_folder.known", "SELECT id FROM work_folder WHERE id = $1"};

constexpr Statement select_teleport{
    "teleport.by_id", "SELECT " STELE_TELEPORT_COLUMNS " FROM teleport t WHERE t.organization_id = $1 AND t.id = $2"};
constexpr Statement select_teleport_key{"teleport.by_key",
                                        "SELECT " STELE_TELEPORT_COLUMNS
                                        " FROM teleport t WHERE t.organization_id = $1 AND t.idempotency_key = $2"};
constexpr Statement select_last_teleport{
    "teleport.last", "SELECT " STELE_TELEPORT_COLUMNS
                     " FROM teleport t WHERE t.organization_id = $1 AND t.agent_id = $2 AND t.conversation_id = $3"
                     " AND t.status = 'completed' ORDER BY t.created_at DESC, t.id DESC LIMIT 1"};
constexpr Statement insert_teleport_row{
    "teleport.insert",
    "INSERT INTO teleport (id, organization_id, idempotency_key, agent_id, conversation_id, source_connection_id,"
    " target_connection_id, target_device_id, target_connection_name, status, error, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr Statement update_teleport_row{"teleport.update",
                                        "UPDATE teleport SET status = $3, error = $4, updated_at = $5"
                                        " WHERE organization_id = $1 AND id = $2 AND status = $6"};

Device to_device(Row& row) {
    Device made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.user_id = row.take_text(2);
    made.device_id = row.take_text(3);
    made.connection_id = row.take_text(4);
    made.connection_name = row.take_text(5);
    made.metadata.text = row.take_text(6);
    made.current_mode = row.optional_text(7);
    made.first_seen_at = from_micros(row.integer(8));
    made.last_seen_at = from_micros(row.integer(9));
    return made;
}

std::optional<Device> first_device(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return to_device(rows.front());
}

std::optional<Teleport> first_teleport(Rows rows) {
    if (rows.empty()) return std::nullopt;
    Row& row = rows.front();
    Teleport made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.idempotency_key = row.take_text(2);
    made.agentId = row.take_text(3);
    made.conversationId = row.take_text(4);
    made.sourceConnectionId = row.take_text(5);
    made.targetConnectionId = row.take_text(6);
    made.targetDeviceId = row.take_text(7);
    made.targetConnectionName = row.take_text(8);
    made.status = row.take_text(9);
    made.error = row.optional_text(10);
    made.createdAt = row.integer(11);
    made.updatedAt = row.integer(12);
    return made;
}

Query list_query(const std::string& organization_id, const DeviceFilter& filter) {
    Select select("SELECT " STELE_DEVICE_COLUMNS " FROM " STELE_DEVICES " WHERE d.organization_id = ?",
                  to_value(organization_id));
    if (filter.user_id) select.where("d.user_id = ?", filter.user_id);
    if (filter.folders) select.where(*filter.folders ? "d.is_folder = 1" : "d.is_folder = 0");
    if (filter.after) {
        const std::int64_t seen = to_micros(filter.after->first_seen_at);
        select.where("(d.first_seen_at < ? OR (d.first_seen_at = ? AND d.id < ?))", seen, seen, filter.after->id);
    }
    select.finish(" ORDER BY d.first_seen_at DESC, d.id DESC LIMIT ?", filter.limit);
    return select.query();
}

}  // namespace

awaitable<std::optional<Device>> DeviceRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_one, std::move(organization_id), std::move(id));
    co_return first_device(std::move(rows));
}

awaitable<std::vector<Device>> DeviceRepository::list(std::string organization_id, DeviceFilter filter) const {
    Query query = list_query(organization_id, filter);
    Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<Device> found;
    for (Row& row : rows) found.push_back(to_device(row));
    co_return found;
}

void DeviceRepository::insert(Transaction& transaction, const Device& device) const {
    transaction
        .add(insert_row, device.id, device.organization_id, device.user_id, device.device_id, device.connection_id,
             device.connection_name, device.metadata.text, to_micros(device.first_seen_at),
             to_micros(device.last_seen_at))
        .expect_free(changed_meanwhile("Device", device.device_id));
}

void DeviceRepository::update(Transaction& transaction, const Device& device) const {
    transaction
        .add(update_row, device.organization_id, device.id, device.connection_id, device.connection_name,
             device.metadata.text, to_micros(device.last_seen_at))
        .expect_row(changed_meanwhile("Device", device.device_id));
}

void DeviceRepository::note_seen(Transaction& transaction, const Device& device) const {
    transaction.add(update_seen, device.organization_id, device.id, to_micros(device.last_seen_at), device.current_mode,
                    device.connection_id);
}

void DeviceRepository::remove(Transaction& transaction, const Device& device) const {
    transaction.add(delete_row, device.organization_id, device.id);
}

void DeviceRepository::insert_folder(Transaction& transaction, const Device& folder, const std::string& agent_id,
                                     const std::optional<std::string>& conversation_id) const {
    transaction.add(insert_folder_row, folder.id, folder.organization_id, agent_id, conversation_id,
                    folder.connection_name, folder.user_id, to_micros(folder.first_seen_at),
                    to_micros(folder.last_seen_at));
}

void DeviceRepository::remove_folder(Transaction& transaction, const Device& folder) const {
    transaction.add(delete_folder, folder.organization_id, folder.id).expect_row(not_found("Sandbox", folder.id));
}

awaitable<std::optional<Device>> DeviceRepository::folder_of(std::string organization_id, std::string agent_id,
                                                             std::optional<std::string> conversation_id) const {
    std::string conversation = conversation_id.value_or("");
    Rows rows = co_await database_.query(select_folder_of, std::move(organization_id), std::move(agent_id),
                                         std::move(conversation));
    co_return first_device(std::move(rows));
}

awaitable<std::optional<std::string>> DeviceRepository::agent_of_folder(std::string organization_id,
                                                                        std::string id) const {
    Rows rows = co_await database_.query(select_folder_agent, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().take_text(0);
}

awaitable<std::vector<std::pair<Device, std::string>>> DeviceRepository::folders(std::string organization_id,
                                                                                 std::optional<std::string> agent_id,
                                                                                 std::int64_t limit) const {
    std::string agent = agent_id.value_or("");
    Rows rows = co_await database_.query(select_folders, std::move(organization_id), std::move(agent), limit);
    std::vector<std::pair<Device, std::string>> found;
    for (Row& row : rows) {
        std::string owner = row.take_text(10);
        found.emplace_back(to_device(row), std::move(owner));
    }
    co_return found;
}

awaitable<std::vector<std::string>> DeviceRepository::known_folders(std::vector<std::string> ids) const {
    std::vector<std::string> found;
    if (ids.empty()) co_return found;
    ReadBatch batch;
    for (const std::string& id : ids) batch.add(select_known_folder, id);
    std::vector<Rows> answers = co_await database_.read(std::move(batch));
    for (Rows& rows : answers)
        if (!rows.empty()) found.push_back(rows.front().take_text(0));
    co_return found;
}

awaitable<std::optional<Teleport>> DeviceRepository::find_teleport(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_teleport, std::move(organization_id), std::move(id));
    co_return first_teleport(std::move(rows));
}

awaitable<std::optional<Teleport>> DeviceRepository::teleport_of_key(std::string organization_id,
                                                                     std::string key) const {
    Rows rows = co_await database_.query(select_teleport_key, std::move(organization_id), std::move(key));
    co_return first_teleport(std::move(rows));
}

awaitable<std::optional<Teleport>> DeviceRepository::last_teleport(std::string organization_id, std::string agent_id,
                                                                   std::string conversation_id) const {
    Rows rows = co_await database_.query(select_last_teleport, std::move(organization_id), std::move(agent_id),
                                         std::move(conversation_id));
    co_return first_teleport(std::move(rows));
}

void DeviceRepository::insert_teleport(Transaction& transaction, const Teleport& made) const {
    transaction
        .add(insert_teleport_row, made.id, made.organization_id, made.idempotency_key, made.agentId,
             made.conversationId, made.sourceConnectionId, made.targetConnectionId, made.targetDeviceId,
             made.targetConnectionName, made.status, made.error, made.createdAt, made.updatedAt)
        .expect_free(changed_meanwhile("Teleport", made.idempotency_key));
}

void DeviceRepository::update_teleport(Transaction& transaction, const Teleport& changed,
                                       const std::string& before) const {
    transaction
        .add(update_teleport_row, changed.organization_id, changed.id, changed.status, changed.error, changed.updatedAt,
             before)
        .expect_row(changed_meanwhile("Teleport", changed.id));
}

std::vector<Statement> DeviceRepository::statements() {
    DeviceFilter everything;
    everything.user_id = "x";
    everything.folders = true;
    everything.after.emplace();
    std::vector<Statement> all{list_query("o", everything).statement};
    all.insert(all.end(),
               {select_one, insert_row, update_row, update_seen, delete_row, insert_folder_row, delete_folder,
                select_folder_of, select_folder_agent, select_folders, select_known_folder, select_teleport,
                select_teleport_key, select_last_teleport, insert_teleport_row, update_teleport_row});
    return all;
}

}  // namespace stele::storage
