#pragma once

#include "runtime/file_views.hpp"
#include "runtime/passage_service.hpp"
#include "tools/file_shelf.hpp"

namespace stele::runtime {

/// The files of one agent, for its tools. References outlive it.
class AgentShelf final : public tools::FileShelf {
public:
    struct Parts {
        storage::Database& database;
        const storage::FileRepository& files;
        const storage::AttachedFileRepository& attached;
        const storage::FolderRepository& folders;
        const FileViews& views;
        const PassageService& passages;
        WorkerThreads& workers;
    };

    AgentShelf(const Parts& parts, const Agent& agent) : parts_(parts), agent_(agent) {}

    boost::asio::awaitable<tools::OpenedFiles> open(std::vector<tools::FileRequest> requests,
                                                    bool close_all_others) override;
    boost::asio::awaitable<tools::GrepResult> grep(tools::GrepRequest request) override;
    boost::asio::awaitable<tools::FoundPieces> search(std::string query, std::size_t limit) override;

private:
    boost::asio::awaitable<void> touch(std::vector<std::string> ids) const;

    const Parts& parts_;
    const Agent& agent_;
};

}  // namespace stele::runtime
