#pragma once

#include "runtime/alarm.hpp"
#include "runtime/template_service.hpp"

namespace stele::runtime {

/// Carries out the migrations that saved versions asked for, one deployment after the other. They stand in the store
/// until they are done, so a start goes on with what an earlier life of the server left.
class TemplateMigrator {
public:
    TemplateMigrator(const TemplateService& service, storage::Database& database,
                     const storage::TemplateRepository& templates, boost::asio::any_io_executor executor)
        : service_(service), database_(database), templates_(templates), alarm_(std::move(executor)) {}

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks again: a version was saved. Thread-safe.
    void wake() { alarm_.wake(); }

    /// Begins none from now on. Thread-safe.
    void stop() { alarm_.stop(); }

    /// 1 while run() has not returned. Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    boost::asio::awaitable<bool> carry_out(storage::PendingMigration pending);

    const TemplateService& service_;
    storage::Database& database_;
    const storage::TemplateRepository& templates_;
    Alarm alarm_;
    std::shared_ptr<void> at_work_ = std::make_shared<int>();
};

}  // namespace stele::runtime
