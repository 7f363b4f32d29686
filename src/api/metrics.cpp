#include "api/route.hpp"
#include "runtime/runtime.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

void add(std::string& out, const char* name, const char* type, const char* help, std::uint64_t value) {
    out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " +
           std::to_string(value) + "\n";
}

// Prometheus text format, version 0.0.4. Holds no ids and no names, so it needs no credential.
awaitable<Response> metrics(Services& services, const Request&) {
    const storage::DatabaseCounters counters = services.database.counters();
    Response response;
    response.content_type = "text/plain; version=0.0.4";
    add(response.body, "stele_store_statements_total", "counter", "SQL statements executed.", counters.statements);
    add(response.body, "stele_store_transactions_total", "counter",
        "Transactions committed, as their authors sent them.", counters.transactions);
    add(response.body, "stele_store_commits_total", "counter",
        "Commits of the engine; several transactions may share one.", counters.commits);
    add(response.body, "stele_runs_active", "gauge", "Runs at work.", services.runtime.active().size());
    co_return response;
}

}  // namespace

std::span<const Route> metrics_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/metrics", metrics, "metrics", "", "text/plain", "", Trait::open},
    };
    return routes;
}

}  // namespace stele::api
