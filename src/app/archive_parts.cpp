#include "app/archive_parts.hpp"

#include "app/part_options.hpp"

namespace stele::app {

ArchiveParts::ArchiveParts(const Options& options, storage::Database& database, llm::Catalogue& catalogue,
                           WorkerThreads& workers, const boost::asio::any_io_executor& executor)
    : archives(database, std::chrono::days(options.trash_days)),
      passages(database),
      vectors(database),
      index(vectors, workers, static_cast<std::size_t>(options.vector_cache_mib) << 20),
      search({archives, passages, vectors, index}),
      embeddings(catalogue, std::chrono::seconds(options.embedding_query_seconds)),
      worker({database, vectors, embeddings}, executor),
      passage_service({database, passages, search, embeddings, worker}),
      archive_service({database, archives, vectors, catalogue, worker, defaults_of(options)}),
      agent_archive({database, archives, archive_service, passage_service}) {}

}  // namespace stele::app
