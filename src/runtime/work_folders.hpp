#pragma once

#include "domain/work_folder.hpp"
#include "runtime/alarm.hpp"
#include "storage/device_repository.hpp"

#include <filesystem>

namespace stele {
class WorkerThreads;
}

namespace stele::runtime {

/// Folders of this server that agents keep files in, in the place of somebody's hosted sandboxes:
/// <root>/<id of the folder>/. Thread-safe; what it refers to outlives it.
class WorkFolders {
public:
    struct Parts {
        storage::Database& database;
        const storage::DeviceRepository& rows;
        WorkerThreads& workers;
        std::filesystem::path root;  ///< absolute
        boost::asio::any_io_executor executor;
    };

    explicit WorkFolders(Parts parts) : parts_(std::move(parts)), alarm_(parts_.executor) {}

    /// A new one for an agent that is there; for one of its conversations alone if `conversation_id` names one.
    boost::asio::awaitable<Device> create(std::string organization_id, std::string user_id, std::string agent_id,
                                          std::string conversation_id, std::string name) const;

    /// The row first: what is left of its files is taken away by run(), whatever happens.
    boost::asio::awaitable<void> remove(Device folder) const;

    /// Writes a file whole, or leaves the one that was there. `path`: of path_in_folder. Throws Error{too_large} for a
    /// folder that would hold too much, Error{conflict} where a directory is in the way.
    boost::asio::awaitable<SandboxFile> write(std::string folder_id, std::string path, std::string bytes) const;

    /// Nothing if there is no such file.
    boost::asio::awaitable<std::optional<std::string>> read(std::string folder_id, std::string path) const;

    /// Every file, by path.
    boost::asio::awaitable<std::vector<SandboxFile>> list(std::string folder_id) const;

    /// Takes away, for ever and again, folders that belong to nobody any more. Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();
    void stop() { alarm_.stop(); }

private:
    boost::asio::awaitable<void> remove_orphans();
    boost::asio::awaitable<void> remove_files(std::string folder_id) const;

    Parts parts_;
    Alarm alarm_;
};

/// What a file of this name probably is.
std::string media_type_of(const std::string& path);

}  // namespace stele::runtime
