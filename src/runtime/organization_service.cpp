#include "runtime/organization_service.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "domain/audit.hpp"
#include "runtime/base_tools.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

Error final_conflict(const std::string& text) {
    Error error(ErrorCode::conflict, text);
    error.final = true;
    return error;
}

}  // namespace

awaitable<Organization> OrganizationService::create(OrganizationCreate request) const {
    Organization made;
    made.id = new_id("org");
    made.name = request.name.value_or(new_organization_name());
    made.privileged_tools = request.privileged_tools;
    made.created_at = now();
    storage::Transaction transaction;
    parts_.accounts.insert_organization(transaction, made);
    co_await seed_base_tools(parts_.tools, transaction, made.id);
    co_await parts_.database.commit(std::move(transaction));
    co_return made;
}

awaitable<void> OrganizationService::remove(Organization organization, bool force) const {
    if (organization.id == default_organization_id)
        throw final_conflict("The first organization can't be deleted: requests without another user belong to it");
    if (!force) {
        const bool empty = co_await removal_.is_empty(organization.id);
        if (!empty)
            throw final_conflict("The organization is not empty; with force=true everything in it is deleted too");
    }
    storage::Transaction transaction;
    parts_.accounts.mark_deleted(transaction, organization);
    co_await parts_.database.commit(std::move(transaction));
    co_await parts_.credentials.changed();
    co_await take_away(std::move(organization.id));
}

// A request that came in just before may still begin something: hence until nothing is found any more.
awaitable<void> OrganizationService::take_away(std::string organization_id) const {
    for (bool there = true; there;) {
        const std::vector<Run> at_work = parts_.runtime.active_of(organization_id);
        for (const Run& run : at_work) parts_.runtime.cancel_soon(run.id);
        for (const Run& run : at_work) co_await parts_.runtime.cancel(run.id);
        const bool found = co_await removal_.remove_rows(organization_id);
        if (found || !at_work.empty()) continue;
        storage::Transaction transaction;
        removal_.remove_organization(transaction, organization_id);
        try {
            co_await parts_.database.commit(std::move(transaction));
            there = false;
        } catch (const Error& failure) {
            if (failure.code != ErrorCode::conflict) throw;  // else something refers to it once more
        }
    }
    log::info("organization.deleted", {{"organization_id", organization_id}});
}

awaitable<void> OrganizationService::finish_removals() const {
    std::string why;
    try {
        const std::vector<std::string> marked = co_await parts_.accounts.marked_deleted();
        for (const std::string& id : marked) co_await take_away(id);
    } catch (const std::exception& failure) {
        why = failure.what();
    }
    if (!why.empty()) log::warn("organization.not_deleted", {{"why", why}});
}

}  // namespace stele::runtime
