#pragma once

#include "domain/device.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// Which devices a list shows, the last to have appeared first.
struct DeviceFilter {
    std::optional<std::string> user_id;
    std::optional<bool> folders;  ///< work folders alone, or devices alone
    std::optional<Device> after;  ///< the last one of the page before
    std::int64_t limit = 50;
};

/// Devices, the work folders that stand among them, and moves of conversations between them.
class DeviceRepository {
public:
    explicit DeviceRepository(Database& database) : database_(database) {}

    /// By its own id, the name it gives itself, or its last connection. Nothing if the organisation has none such.
    boost::asio::awaitable<std::optional<Device>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<Device>> list(std::string organization_id, DeviceFilter filter) const;

    /// A device that registers for the first time. The commit throws Error{conflict} if it is known by now.
    void insert(Transaction& transaction, const Device& device) const;
    /// One that registers again: name, connection, metadata and time.
    void update(Transaction& transaction, const Device& device) const;
    void note_seen(Transaction& transaction, const Device& device) const;
    void remove(Transaction& transaction, const Device& device) const;

    /// `device.is_folder()`: of an agent, and of one of its conversations alone if `conversation_id` names one.
    void insert_folder(Transaction& transaction, const Device& folder, const std::string& agent_id,
                       const std::optional<std::string>& conversation_id) const;
    void remove_folder(Transaction& transaction, const Device& folder) const;
    /// Its newest folder for all of its conversations, or for this one.
    boost::asio::awaitable<std::optional<Device>> folder_of(std::string organization_id, std::string agent_id,
                                                            std::optional<std::string> conversation_id) const;
    boost::asio::awaitable<std::optional<std::string>> agent_of_folder(std::string organization_id,
                                                                       std::string id) const;
    /// The newest first; of one agent if `agent_id` names it.
    boost::asio::awaitable<std::vector<std::pair<Device, std::string>>> folders(std::string organization_id,
                                                                                std::optional<std::string> agent_id,
                                                                                std::int64_t limit) const;
    /// Those of `ids` that are there, whosever they are.
    boost::asio::awaitable<std::vector<std::string>> known_folders(std::vector<std::string> ids) const;

    boost::asio::awaitable<std::optional<Teleport>> find_teleport(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::optional<Teleport>> teleport_of_key(std::string organization_id, std::string key) const;
    /// The last move of the conversation that was completed.
    boost::asio::awaitable<std::optional<Teleport>> last_teleport(std::string organization_id, std::string agent_id,
                                                                  std::string conversation_id) const;
    void insert_teleport(Transaction& transaction, const Teleport& teleport) const;
    /// From `before`. The commit throws Error{conflict} if it is in another state by now.
    void update_teleport(Transaction& transaction, const Teleport& teleport, const std::string& before) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
