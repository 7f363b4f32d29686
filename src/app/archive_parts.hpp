#pragma once

#include "app/options.hpp"
#include "runtime/agent_archive.hpp"

namespace stele::app {

/// What passages and their vectors take, in order of need.
struct ArchiveParts {
    ArchiveParts(const Options& options, storage::Database& database, llm::Catalogue& catalogue, WorkerThreads& workers,
                 const boost::asio::any_io_executor& executor);

    storage::ArchiveRepository archives;
    storage::PassageRepository passages;
    storage::PassageVectors vectors;
    knowledge::VectorIndex index;
    knowledge::PassageSearch search;
    runtime::EmbeddingService embeddings;
    runtime::EmbeddingWorker worker;
    runtime::PassageService passage_service;
    runtime::ArchiveService archive_service;
    runtime::AgentArchive agent_archive;
};

}  // namespace stele::app
