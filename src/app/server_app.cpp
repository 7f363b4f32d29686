#include "app/server_app.hpp"

#include "api/batch_callback.hpp"
#include "api/dispatch.hpp"
#include "api/error_response.hpp"
#include "api/mcp_common.hpp"
#include "api/run_callback.hpp"
#include "app/archive_parts.hpp"
#include "app/background.hpp"
#include "app/large_bodies.hpp"
#include "app/mcp_config.hpp"
#include "app/part_options.hpp"
#include "app/repositories.hpp"
#include "app/secret_key.hpp"
#include "app/store_setup.hpp"
#include "app/terminal_parts.hpp"
#include "base/seal.hpp"
#include "llm/catalogue.hpp"
#include "net/client.hpp"
#include "net/server.hpp"
#include "runtime/agent_files.hpp"
#include "runtime/agent_service.hpp"
#include "runtime/batch_runner.hpp"
#include "runtime/conversation_service.hpp"
#include "runtime/credentials.hpp"
#include "runtime/custom_tool.hpp"
#include "runtime/feed_runner.hpp"
#include "runtime/file_service.hpp"
#include "runtime/group_service.hpp"
#include "runtime/message_service.hpp"
#include "runtime/organization_service.hpp"
#include "runtime/project_service.hpp"
#include "runtime/provider_batches.hpp"
#include "runtime/provider_service.hpp"
#include "runtime/run_tokens.hpp"
#include "runtime/runtime.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/template_migrator.hpp"
#include "runtime/template_service.hpp"
#include "runtime/tool_service.hpp"
#include "runtime/tool_writer.hpp"
#include "runtime/trash_keeper.hpp"
#include "storage/database.hpp"
#include "tools/mcp/client.hpp"
#include "tools/mcp/oauth_login.hpp"
#include "tools/mcp/tool_sync.hpp"
#include "tools/sandbox/sandbox.hpp"
#include "tools/web/web_access.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <thread>

namespace stele::app {
namespace {

namespace asio = boost::asio;

constexpr auto leaving_interval = std::chrono::milliseconds(20);
constexpr std::size_t tool_connections_max = 1'024;  // 256 tools may be at work at once

int thread_count(const Options& options) {
    return options.threads > 0 ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// All long-lived parts, in order of need: each is destroyed before what it refers to.
class ServerApp {
public:
    explicit ServerApp(const Options& options);

    /// Until a signal, or until the last connection after it.
    void run();

private:
    net::ServerOptions server_options();
    std::unique_ptr<net::Server> make_tool_server();
    std::function<void(const std::string&, const Run&)> calls_back();
    std::function<void(const std::string&, const std::string&)> tells_of_batch();
    void on_signal();
    void stop();
    void leave_when_idle();
    std::size_t at_work() const;

    Options options_;
    runtime::RunTokens run_tokens_;  // of calls whose frames may end with the io_contexts
    // The io_contexts outlive everything that may still resume on them.
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    WorkerThreads workers_;
    std::unique_ptr<storage::Database> database_;
    Sealer sealer_;
    Repositories stored_;
    runtime::Credentials credentials_;
    net::HttpClient client_;
    net::HttpClient egress_;
    net::HttpClient mcp_http_;
    net::HttpClient provider_http_;
    std::shared_ptr<tools::ControlGroups> control_groups_;
    tools::mcp::OauthTokens mcp_tokens_;
    tools::mcp::OauthLogins mcp_oauth_;
    tools::mcp::Client mcp_;
    tools::mcp::ToolSync mcp_sync_;
    tools::web::WebAccess web_;
    llm::Catalogue catalogue_;
    tools::Sandbox sandbox_;
    runtime::CustomTools custom_tools_;
    ArchiveParts archive_;
    runtime::FileViews file_views_;
    runtime::FolderLinks folder_links_;
    runtime::Runtime runtime_;
    runtime::ProviderService provider_service_;
    runtime::AgentService agent_service_;
    runtime::FolderService folder_service_;
    runtime::FileIngest file_ingest_;
    runtime::FileService file_service_;
    runtime::ConversationService conversation_service_;
    runtime::GroupService group_service_;
    runtime::Scheduler scheduler_;
    runtime::FeedRunner feed_runner_;
    runtime::BatchRunner batch_runner_;
    runtime::ProviderBatches provider_batches_;
    runtime::TrashKeeper trash_keeper_;
    runtime::MessageService message_service_;
    runtime::ProjectService project_service_;
    runtime::ToolService tool_service_;
    runtime::TemplateService template_service_;
    runtime::TemplateMigrator template_migrator_;
    runtime::AgentImportKeeper agent_import_keeper_;
    runtime::AgentFiles agent_files_;
    runtime::ToolWriter tool_writer_;
    runtime::OrganizationService organizations_;
    TerminalParts terminal_;
    Background background_;
    api::Services services_;
    api::Dispatch dispatch_;
    net::Server server_;
    std::unique_ptr<net::Server> tool_server_;  ///< outlasts the other: runs at work may need it; null: no such sockets
    asio::signal_set signals_;
    asio::cancellation_signal end_refresh_;
    std::vector<McpServer> mcp_config_;  ///< of the operator's file
    bool stopping_ = false;
    std::chrono::steady_clock::time_point leave_by_{};
    asio::steady_timer leaving_;
};

std::vector<std::unique_ptr<asio::io_context>> make_contexts(int count) {
    std::vector<std::unique_ptr<asio::io_context>> contexts;
    for (int i = 0; i < count; ++i) contexts.push_back(std::make_unique<asio::io_context>(1));
    return contexts;
}

std::vector<asio::io_context*> pointers(const std::vector<std::unique_ptr<asio::io_context>>& contexts) {
    std::vector<asio::io_context*> made;
    for (const auto& context : contexts) made.push_back(context.get());
    return made;
}

std::vector<asio::any_io_executor> executors(const std::vector<std::unique_ptr<asio::io_context>>& contexts) {
    std::vector<asio::any_io_executor> made;
    for (const auto& context : contexts) made.emplace_back(context->get_executor());
    return made;
}

ServerApp::ServerApp(const Options& options)
    : options_(options),
      contexts_(make_contexts(thread_count(options))),
      database_(storage::open_sqlite(store_options(options))),
      sealer_(secret_key(options)),
      stored_(*database_, sealer_, options),
      credentials_(*database_, stored_.accounts, stored_.api_keys, stored_.access_tokens),
      client_(client_options(options)),
      egress_(egress_options(options)),
      mcp_http_(mcp_http_options(options)),
      provider_http_(provider_http_options(options)),
      control_groups_(control_groups(options)),
      mcp_tokens_(*database_, stored_.mcp_logins, mcp_http_, options.tools_mcp_private),
      mcp_oauth_(oauth_parts(options, *database_, stored_.mcp_servers, stored_.mcp_logins, mcp_http_)),
      mcp_({*database_, stored_.mcp_servers, stored_.tools, sealer_, mcp_http_, mcp_tokens_,
            mcp_options(options, control_groups_)}),
      mcp_sync_(*database_, stored_.mcp_servers, stored_.tools, mcp_),
      web_({*database_, sealer_, egress_, client_, workers_, options.web}),
      catalogue_(client_, provider_http_, options.endpoints, catalogue_options(options, workers_)),
      sandbox_(contexts_.front()->get_executor(), workers_, sandbox_options(options, control_groups_)),
      custom_tools_({*database_, sealer_, sandbox_, run_tokens_, passed_on(options),
                     std::chrono::seconds(options.tools_call_seconds)}),
      archive_(options, *database_, stored_, catalogue_, workers_, contexts_.front()->get_executor()),
      file_views_({*database_, stored_.files, stored_.attached_files, workers_, options.true_line_numbers}),
      folder_links_({*database_, stored_.folders, stored_.files, stored_.attached_files, stored_.tools, file_views_}),
      runtime_({*database_,
                stored_.agents,
                stored_.blocks,
                stored_.messages,
                stored_.conversations,
                stored_.groups,
                stored_.runs,
                stored_.idempotency,
                stored_.identities,
                stored_.run_events,
                catalogue_,
                sandbox_,
                custom_tools_,
                mcp_,
                web_,
                archive_.agent_archive,
                {*database_, stored_.files, stored_.attached_files, stored_.folders, file_views_,
                 archive_.passage_service, workers_},
                identity_rules(options),
                options.traces}),
      provider_service_({*database_, stored_.providers, catalogue_, options.providers_private}),
      agent_service_({*database_, stored_.agents, stored_.blocks, stored_.tools, stored_.messages, stored_.schedules,
                      stored_.groups, stored_.idempotency, stored_.identities, folder_links_, catalogue_, runtime_,
                      sealer_, archive_.archive_service, defaults_of(options), options.redact_secrets}),
      folder_service_({*database_, stored_.folders, stored_.agents, stored_.attached_files, folder_links_,
                       stored_.passage_vectors, archive_.worker, catalogue_, runtime_, defaults_of(options)}),
      file_ingest_({*database_, stored_.files, stored_.folders, stored_.agents, file_views_, stored_.passages,
                    archive_.passage_service, runtime_, workers_, pdf_options(options)},
                   executors(contexts_)),
      file_service_({*database_, stored_.folders, stored_.files, folder_service_, file_ingest_, workers_,
                     static_cast<std::size_t>(options.upload_mb_max) << 20,
                     std::chrono::seconds(options.file_patience_seconds)}),
      conversation_service_({*database_, stored_.agents, stored_.blocks, stored_.messages, stored_.conversations,
                             stored_.idempotency, catalogue_, runtime_, defaults_of(options)}),
      group_service_({*database_, stored_.groups, stored_.agents, stored_.blocks, stored_.idempotency, runtime_}),
      scheduler_({*database_, stored_.schedules, stored_.agents, stored_.runs, runtime_, calls_back(),
                  std::chrono::seconds(options.schedule_patience_seconds)},
                 executors(contexts_)),
      feed_runner_({*database_, stored_.feeds, stored_.feed_subscriptions, stored_.agents, stored_.runs, runtime_,
                    calls_back(), std::chrono::seconds(options.schedule_patience_seconds)},
                   executors(contexts_)),
      batch_runner_({*database_, stored_.batches, stored_.runs, runtime_,
                     static_cast<std::size_t>(options.batch_concurrency), tells_of_batch()},
                    executors(contexts_)),
      provider_batches_({*database_, stored_.provider_batch_rows, catalogue_, runtime_,
                         std::chrono::seconds(options.batch_look_seconds), [this] { batch_runner_.wake(); }},
                        contexts_.front()->get_executor()),
      trash_keeper_(*database_, stored_.trash, stored_.agents, contexts_.front()->get_executor()),
      message_service_({*database_, stored_.agents, stored_.messages, runtime_}),
      project_service_({*database_, stored_.projects, agent_service_, options.auto_create_projects}),
      tool_service_({*database_, stored_.tools, stored_.agents, stored_.idempotency, sandbox_}),
      template_service_({*database_, stored_.templates, stored_.agents, stored_.blocks, stored_.tools, stored_.folders,
                         stored_.groups, stored_.idempotency, agent_service_, project_service_, tool_service_, runtime_,
                         sealer_}),
      template_migrator_(template_service_, *database_, stored_.templates, contexts_.front()->get_executor()),
      agent_import_keeper_(stored_.agent_imports, contexts_.front()->get_executor()),
      agent_files_({*database_, stored_.agents, stored_.blocks, stored_.tools, stored_.messages, stored_.groups,
                    stored_.mcp_servers, stored_.folders, stored_.files, stored_.attached_files, stored_.agent_imports,
                    folder_links_, file_ingest_, agent_import_keeper_, agent_service_, tool_service_, workers_}),
      tool_writer_(catalogue_, tool_service_, options.default_model),
      organizations_({*database_, stored_.accounts, stored_.tools, runtime_, credentials_, catalogue_}),
      terminal_({options_, *database_, stored_.agents, stored_.blocks, stored_.messages, stored_.conversations,
                 stored_.runs, agent_service_, conversation_service_, runtime_, workers_, client_, provider_http_,
                 contexts_.front()->get_executor()}),
      services_{*database_,
                stored_.agents,
                stored_.archives,
                stored_.passages,
                stored_.passage_vectors,
                stored_.blocks,
                stored_.block_history,
                stored_.tools,
                stored_.messages,
                stored_.conversations,
                stored_.groups,
                stored_.projects,
                stored_.runs,
                stored_.run_events,
                stored_.schedules,
                stored_.templates,
                stored_.feeds,
                stored_.feed_subscriptions,
                stored_.pipelines,
                stored_.batches,
                stored_.idempotency,
                stored_.identities,
                stored_.mcp_servers,
                stored_.mcp_logins,
                stored_.sandboxes,
                stored_.providers,
                stored_.trash,
                sealer_,
                catalogue_,
                sandbox_,
                archive_.worker,
                archive_.passage_service,
                archive_.archive_service,
                archive_.agent_archive,
                runtime_,
                scheduler_,
                feed_runner_,
                batch_runner_,
                trash_keeper_,
                provider_batches_,
                egress_,
                mcp_,
                mcp_sync_,
                mcp_oauth_,
                agent_service_,
                provider_service_,
                agent_files_,
                conversation_service_,
                stored_.folders,
                stored_.attached_files,
                folder_service_,
                file_service_,
                group_service_,
                message_service_,
                project_service_,
                template_service_,
                template_migrator_,
                tool_service_,
                tool_writer_,
                custom_tools_,
                run_tokens_,
                stored_.accounts,
                stored_.api_keys,
                stored_.access_tokens,
                credentials_,
                organizations_,
                terminal_.services(),
                identity_rules(options),
                options.archival_tokens_max,
                options.allow_message_edit,
                options.redact_secrets,
                options.password,
                {STELE_VERSION, !options.password.empty(), catalogue_.has_servers(), options.public_url,
                 !options.tls_cert.empty()},
                options.no_default_actor,
                options.token_require_origin,
                options.cors_origins},
      dispatch_(services_),
      server_(server_options(), pointers(contexts_),
              std::vector<net::Handler>(contexts_.size(),
                                        [this](net::HttpRequest& request) { return dispatch_(request); })),
      tool_server_(make_tool_server()),
      signals_(*contexts_.front(), SIGINT, SIGTERM),
      leaving_(*contexts_.front()) {
    if (!options.tools_mcp_config.empty()) mcp_config_ = read_mcp_config(options.tools_mcp_config);
    background_.add(scheduler_);
    background_.add(feed_runner_);
    background_.add(batch_runner_);
    background_.add(archive_.worker);
    background_.add(provider_batches_);
    background_.add(trash_keeper_);
    background_.add(agent_import_keeper_);
    background_.add(template_migrator_);
    background_.add(file_ingest_);
    set_up_store({*database_, stored_.accounts, stored_.tools, stored_.agents, stored_.messages, stored_.runs,
                  stored_.batches, stored_.schedules, stored_.idempotency, credentials_, provider_service_});
}

// For runs that no request waits for.
std::function<void(const std::string&, const Run&)> ServerApp::calls_back() {
    return [this](const std::string& organization_id, const Run& run) {
        if (run.callback_url)
            asio::co_spawn(*contexts_.front(), api::send_callback(services_, organization_id, run.id), asio::detached);
    };
}

std::function<void(const std::string&, const std::string&)> ServerApp::tells_of_batch() {
    return [this](const std::string& organization_id, const std::string& batch_id) {
        asio::co_spawn(*contexts_.front(), api::send_batch_callback(services_, organization_id, batch_id),
                       asio::detached);
    };
}

net::ServerOptions ServerApp::server_options() {
    net::ServerOptions made = listening_options(options_);
    made.allows_origin = [this](const std::string& origin) { return credentials_.is_token_origin(origin); };
    made.error_body = api::error_body;
    made.large = large_bodies(options_, workers_, dispatch_);
    if (log::enabled(log::Level::info))
        made.on_answered = [](const net::HttpRequest& request, int status, std::chrono::nanoseconds time) {
            log::info("request", {{"request_id", request.id},
                                  {"method", net::to_string(request.method)},
                                  {"path", api::path_to_show(request.path)},
                                  {"status", status},
                                  {"ms", static_cast<double>(time.count()) / 1e6}});
        };
    return made;
}

// Its own limits: whatever tools do, there is room for everybody else. Some file systems hold no sockets; all but
// `client` of tools works there.
std::unique_ptr<net::Server> ServerApp::make_tool_server() {
    net::ServerOptions options = server_options();
    options.socket = api_socket(options_);
    options.connections_max = options.requests_max = tool_connections_max;
    options.cors_origins.clear();
    options.allows_origin = {};
    std::vector<net::Handler> handlers{[this](net::HttpRequest& request) { return dispatch_.from_tool(request); }};
    try {
        return std::make_unique<net::Server>(
            std::move(options), std::vector<asio::io_context*>{contexts_.front().get()}, std::move(handlers));
    } catch (const Error& failure) {
        log::warn("tools.no_api_socket", {{"why", failure.what()}});
        return nullptr;
    }
}

void ServerApp::run() {
    server_.start();
    if (tool_server_) tool_server_->start();
    on_signal();
    asio::co_spawn(*contexts_.front(), catalogue_.keep_fresh(),
                   asio::bind_cancellation_slot(end_refresh_.slot(), [](std::exception_ptr) {}));
    asio::co_spawn(*contexts_.front(), api::send_due_callbacks(services_), asio::detached);
    asio::co_spawn(*contexts_.front(), api::send_due_batch_callbacks(services_), asio::detached);
    background_.start(contexts_.front()->get_executor());
    terminal_.start(contexts_.front()->get_executor());
    asio::co_spawn(*contexts_.front(), sandbox_.probe(), asio::detached);
    asio::co_spawn(*contexts_.front(), organizations_.finish_removals(), asio::detached);
    if (!mcp_config_.empty())
        asio::co_spawn(*contexts_.front(),
                       take_mcp_config(*database_, stored_.mcp_servers, mcp_sync_, std::move(mcp_config_)),
                       [](const std::exception_ptr&) {});
    log::info("server.started", {{"host", options_.host},
                                 {"port", server_.port()},
                                 {"data", options_.data.string()},
                                 {"version", STELE_VERSION}});

    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    for (auto& context : contexts_) guards.push_back(asio::make_work_guard(*context));
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts_.size(); ++i)
        threads.emplace_back([&context = *contexts_[i]] { context.run(); });
    contexts_.front()->run();
    for (std::thread& thread : threads) thread.join();
    log::info("server.stopped", {{"runs_cut", runtime_.active().size()}});
    // Their frames hold leases and references of parts that are destroyed before the io_contexts and the frames in
    // them. What was acknowledged is on the disk; the next start closes them.
    if (at_work() > 0) std::_Exit(0);
}

void ServerApp::on_signal() {
    signals_.async_wait([this](const boost::system::error_code& failure, int) {
        if (failure) return;
        stop();
        on_signal();
    });
}

void ServerApp::stop() {
    if (std::exchange(stopping_, true)) std::_Exit(1);  // asked twice: at once; what was acknowledged is on the disk
    log::info("server.stopping", {{"connections", server_.open_connections()}});
    runtime_.stop();
    background_.stop();
    terminal_.stop();
    end_refresh_.emit(asio::cancellation_type::terminal);
    const std::chrono::seconds grace(options_.grace_seconds);
    leave_by_ = std::chrono::steady_clock::now() + grace;
    server_.stop(grace, [this] { asio::post(*contexts_.front(), [this] { leave_when_idle(); }); });
}

// A run whose client has left is work at hand too.
std::size_t ServerApp::at_work() const {
    return runtime_.active().size() + background_.at_work() + terminal_.at_work();
}

void ServerApp::leave_when_idle() {
    if (at_work() == 0 || std::chrono::steady_clock::now() >= leave_by_) {
        const auto leave = [this] {
            for (auto& context : contexts_) context->stop();
        };
        if (tool_server_)
            tool_server_->stop(std::chrono::milliseconds(0), leave);
        else
            leave();
        return;
    }
    leaving_.expires_after(leaving_interval);
    leaving_.async_wait([this](const boost::system::error_code&) { leave_when_idle(); });
}

}  // namespace

void serve(const Options& options) {
    ServerApp app(options);
    app.run();
}

}  // namespace stele::app
