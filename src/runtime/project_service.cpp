#include "runtime/project_service.hpp"

#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "domain/hosted_error.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t slugs_kept_max = 1'000;
constexpr int attempts_max = 8;

}  // namespace

// `own_slug`: it gets one of its own; else the project that has the slug already is as good.
awaitable<Project> ProjectService::make(std::string organization_id, std::string name, std::string slug,
                                        bool own_slug) const {
    for (int attempt = 1;; ++attempt) {
        Project project;
        project.id = new_id("project");
        project.name = name;
        project.slug = slug;
        const std::vector<std::string> taken = co_await parts_.projects.slugs_like(organization_id, slug);
        if (own_slug) {
            project.slug = free_slug(slug, taken);
        } else if (std::find(taken.begin(), taken.end(), slug) != taken.end()) {
            co_return co_await find(organization_id, slug);
        }
        storage::Transaction transaction;
        parts_.projects.insert(transaction, organization_id, project);
        try {
            co_await parts_.database.commit(std::move(transaction));
            co_return project;
        } catch (const Error& error) {
            if (error.type != changed_meanwhile_type || attempt == attempts_max) throw;
        }
    }
}

awaitable<Project> ProjectService::create(std::string organization_id, ProjectCreate request) const {
    std::string slug = slug_of(request.name);
    if (slug.empty()) slug = "project";
    co_return co_await make(std::move(organization_id), std::move(request.name), std::move(slug), true);
}

awaitable<void> ProjectService::remove(std::string organization_id, std::string id, bool force) const {
    const Project project = co_await find(organization_id, id);
    if (project.id == default_project_id)
        throw hosted_error(ErrorCode::conflict, "The default project can't be deleted");
    const storage::ProjectContent content = co_await parts_.projects.content(organization_id, project.id);
    if (!content.empty() && !force)
        throw hosted_error(ErrorCode::conflict, "The project holds " + std::to_string(content.agent_ids.size()) +
                                                    " agents, " + std::to_string(content.templates) +
                                                    " templates and " + std::to_string(content.identities) +
                                                    " identities; ?force=true deletes them with it");
    for (const std::string& agent_id : content.agent_ids) {
        try {
            co_await parts_.agents.remove(organization_id, agent_id);
        } catch (const Error& error) {
            if (error.code != ErrorCode::not_found) throw;  // gone with the agent it looked after, or by somebody else
        }
    }
    storage::Transaction transaction;
    parts_.projects.remove(transaction, organization_id, project.id);
    co_await parts_.database.commit(std::move(transaction));
    const std::lock_guard lock(mutex_);
    ids_.erase({organization_id, project.slug});
}

void ProjectService::keep(const std::string& organization_id, const std::string& slug, const std::string& id) const {
    const std::lock_guard lock(mutex_);
    if (ids_.size() >= slugs_kept_max) ids_.clear();
    ids_[{organization_id, slug}] = id;
}

awaitable<std::optional<std::string>> ProjectService::of_header(std::string organization_id, std::string text,
                                                                bool write) const {
    if (!is_utf8(text)) throw invalid_field("header.X-Project", "must be the slug of a project");
    const std::string slug = slug_of(text);
    if (slug.empty()) throw invalid_field("header.X-Project", "must be the slug of a project");
    {
        const std::lock_guard lock(mutex_);
        const auto known = ids_.find({organization_id, slug});
        if (known != ids_.end()) co_return known->second;
    }
    auto found = co_await parts_.projects.find(organization_id, slug);
    if (!found && !parts_.auto_create) throw hosted_error(ErrorCode::not_found, "Project not found: " + slug);
    if (!found && !write) co_return std::nullopt;
    if (!found) {
        std::string name(first_code_points(text, 50));
        Project made = co_await make(organization_id, std::move(name), slug, false);
        found = std::move(made);
    }
    keep(organization_id, slug, found->id);
    co_return found->id;
}

awaitable<Project> ProjectService::find(std::string organization_id, std::string id_or_slug) const {
    auto found = co_await parts_.projects.find(std::move(organization_id), id_or_slug);
    if (!found) throw hosted_error(ErrorCode::not_found, "Project not found: " + id_or_slug);
    co_return std::move(*found);
}

awaitable<std::string> ProjectService::id_of(std::string organization_id, std::string id_or_slug) const {
    auto found = co_await parts_.projects.find(std::move(organization_id), id_or_slug);
    co_return found ? std::move(found->id) : std::move(id_or_slug);
}

awaitable<std::string> ProjectService::slug_of_id(std::string organization_id, std::string id) const {
    auto found = co_await parts_.projects.find(std::move(organization_id), id);
    co_return found ? std::move(found->slug) : std::move(id);
}

}  // namespace stele::runtime
