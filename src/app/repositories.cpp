#include "app/repositories.hpp"

namespace stele::app {

Repositories::Repositories(storage::Database& database, const Sealer& sealer, const Options& options)
    : agents(database, std::chrono::days(options.trash_days)),
      agent_imports(database),
      archives(database, std::chrono::days(options.trash_days)),
      passages(database),
      passage_vectors(database),
      folders(database),
      files(database),
      attached_files(database),
      blocks(database, {options.auto_link_persona, std::chrono::days(options.trash_days)}),
      block_history(database),
      tools(database),
      messages(database),
      conversations(database),
      groups(database),
      projects(database),
      runs(database),
      run_events(database),
      schedules(database),
      templates(database),
      feeds(database),
      feed_subscriptions(database),
      pipelines(database),
      batches(database),
      provider_batch_rows(database),
      idempotency(database),
      identities(database),
      mcp_servers(database, sealer),
      mcp_logins(database, sealer),
      sandboxes(database),
      providers(database, sealer),
      accounts(database),
      api_keys(database),
      access_tokens(database),
      trash(database) {}

}  // namespace stele::app
