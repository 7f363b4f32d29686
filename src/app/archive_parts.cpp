#include "app/archive_parts.hpp"

#include "app/part_options.hpp"

namespace stele::app {

ArchiveParts::ArchiveParts(const Options& options, storage::Database& database, const Repositories& stored,
                           llm::Catalogue& catalogue, WorkerThreads& workers,
                           const boost::asio::any_io_executor& executor)
    : index(stored.passage_vectors, workers, static_cast<std::size_t>(options.vector_cache_mib) << 20),
      search({stored.archives, stored.passages, stored.passage_vectors, index}),
      embeddings(catalogue, std::chrono::seconds(options.embedding_query_seconds)),
      worker({database, stored.passage_vectors, embeddings}, executor),
      passage_service({database, stored.passages, search, embeddings, worker}),
      archive_service({database, stored.archives, stored.passage_vectors, catalogue, worker, defaults_of(options)}),
      agent_archive({database, stored.agents, stored.archives, archive_service, passage_service}) {}

}  // namespace stele::app
