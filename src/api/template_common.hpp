#pragma once

#include "api/route.hpp"
#include "runtime/template_service.hpp"

namespace stele::api {

/// Where a request's templates are looked up: the project of the path, by id or slug, else that of the headers, else
/// the default one.
awaitable<std::string> template_project(Services& services, const Request& request);

/// The template, and the version, that the path parameter `name` stands for: a name, "name:version" or an id. Throws
/// Error{not_found}.
awaitable<runtime::FoundTemplate> template_of(Services& services, const Request& request, std::string_view name);

/// The same for a text of a body or a query.
awaitable<runtime::FoundTemplate> template_named(Services& services, const Request& request, std::string text);

/// TemplateInfo as the answer, with this status.
awaitable<Response> info_answer(Services& services, Template shown, int status = 200);

/// Makes agents of a template: 201.
awaitable<Response> deploy_answer(Services& services, const Request& request, runtime::FoundTemplate of,
                                  DeployRequest wishes);

// The handlers that several tables name, whatever their paths call the template.
awaitable<Response> template_versions(Services& services, const Request& request, std::string_view name);
awaitable<Response> template_snapshot(Services& services, const Request& request, std::string_view name);
awaitable<Response> put_snapshot(Services& services, const Request& request, std::string_view name, bool by_id);
awaitable<Response> fork_template(Services& services, const Request& request, std::string_view name);
awaitable<Response> rename_template(Services& services, const Request& request, std::string_view name);
awaitable<Response> describe_template(Services& services, const Request& request, std::string_view name);
awaitable<Response> update_from_file(Services& services, const Request& request, std::string_view name);
awaitable<Response> save_template(Services& services, const Request& request, runtime::FoundTemplate of,
                                  TemplateSave body);
awaitable<Response> migrate_deployment(Services& services, const Request& request, runtime::FoundTemplate of,
                                       DeploymentMigrate body, std::string deployment_id);

}  // namespace stele::api
