#include "api/route.hpp"
#include "base/ids.hpp"
#include "base/seal.hpp"
#include "storage/database.hpp"
#include "storage/sandbox_repository.hpp"

namespace stele::api {
namespace {

awaitable<SandboxConfig> find(Services& services, const Request& request) {
    const std::string id = request.path_id("sandbox_config_id", "sandbox");
    auto found = co_await services.sandboxes.find(request.organization_id, id);
    if (!found) throw not_found("Sandbox", id);
    co_return std::move(*found);
}

awaitable<storage::SealedSandboxVariable> find_variable(Services& services, const Request& request) {
    const std::string id = request.path_id("env_var_id", "sandbox-env");
    auto found = co_await services.sandboxes.find_variable(request.organization_id, id);
    if (!found) throw not_found("Sandbox variable", id);
    co_return std::move(*found);
}

SandboxEnvironmentVariable shown(const Services& services, storage::SealedSandboxVariable sealed) {
    if (!services.redact_secrets) sealed.variable.value = services.sealer.open(sealed.sealed_value);
    return std::move(sealed.variable);
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 1'000});
    auto type = request.query.text("sandbox_type");
    if (type && *type != "local" && *type != "e2b" && *type != "modal")
        throw invalid_field("query.sandbox_type", "must be one of: local, e2b, modal");
    const std::vector<SandboxConfig> configs =
        co_await services.sandboxes.list(request.organization_id, std::move(type), std::move(page));
    co_return answer(configs);
}

awaitable<Response> store(Services& services, SandboxConfig config) {
    storage::Transaction transaction;
    services.sandboxes.insert(transaction, config);
    co_await services.database.commit(std::move(transaction));
    co_return answer(config);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<SandboxConfigCreate>(request.body());
    SandboxConfig config = make_sandbox_config(std::move(body.config), request.organization_id, request.user_id);
    co_return co_await store(services, std::move(config));
}

awaitable<Response> change(Services& services, const Request& request, SandboxConfig config,
                           SandboxConfigUpdate update) {
    if (apply(update, config, request.user_id)) {
        storage::Transaction transaction;
        services.sandboxes.update(transaction, config);
        co_await services.database.commit(std::move(transaction));
    }
    co_return answer(config);
}

awaitable<Response> update(Services& services, const Request& request) {
    auto body = decode<SandboxConfigUpdate>(request.body());
    SandboxConfig config = co_await find(services, request);
    co_return co_await change(services, request, std::move(config), std::move(body));
}

// The local one, made if there is none yet. Two that make it at once: the second takes what the first has made.
awaitable<SandboxConfig> get_or_make(Services& services, const Request& request, std::string type) {
    auto found = co_await services.sandboxes.find_by_type(request.organization_id, type);
    if (found) co_return std::move(*found);
    SandboxConfig config = default_sandbox_config(type, request.organization_id, request.user_id);
    storage::Transaction transaction;
    services.sandboxes.insert(transaction, config);
    std::optional<Error> taken;
    try {
        co_await services.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;
        taken = error;
    }
    if (!taken) co_return config;
    found = co_await services.sandboxes.find_by_type(request.organization_id, type);
    if (!found) throw std::move(*taken);
    co_return std::move(*found);
}

awaitable<Response> put_local(Services& services, const Request& request) {
    const auto body = decode<LocalSandboxConfig>(request.body());  // names what does not fit
    SandboxConfigUpdate update;
    Json config;
    config.text = request.body();
    update.config = std::move(config);
    SandboxConfig local = co_await get_or_make(services, request, "local");
    co_return co_await change(services, request, std::move(local), std::move(update));
}

awaitable<Response> local_default(Services& services, const Request& request) {
    const SandboxConfig config = co_await get_or_make(services, request, "local");
    co_return answer(config);
}

awaitable<Response> e2b_default(Services& services, const Request& request) {
    const SandboxConfig config = co_await get_or_make(services, request, "e2b");
    co_return answer(config);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const SandboxConfig config = co_await find(services, request);
    storage::Transaction transaction;
    services.sandboxes.remove(transaction, config);
    co_await services.database.commit(std::move(transaction));
    Response response;
    response.status = 204;
    co_return response;
}

awaitable<Response> list_variables(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.limit = 1'000});
    const SandboxConfig config = co_await find(services, request);
    std::vector<SandboxEnvironmentVariable> variables;
    for (storage::SealedSandboxVariable& sealed :
         co_await services.sandboxes.list_variables(request.organization_id, config.id, std::move(page)))
        variables.push_back(shown(services, std::move(sealed)));
    co_return answer(variables);
}

awaitable<Response> create_variable(Services& services, const Request& request) {
    auto body = decode<SandboxEnvironmentVariableCreate>(request.body());
    const SandboxConfig config = co_await find(services, request);
    storage::SealedSandboxVariable made;
    made.variable.id = new_id("sandbox-env");
    made.variable.key = std::move(body.key);
    made.variable.description = std::move(body.description);
    made.variable.sandbox_config_id = config.id;
    made.variable.organization_id = request.organization_id;
    made.variable.created_by_id = made.variable.last_updated_by_id = request.user_id;
    made.variable.created_at = made.variable.updated_at = now();
    made.sealed_value = services.sealer.seal(body.value);
    storage::Transaction transaction;
    services.sandboxes.insert_variable(transaction, made);
    co_await services.database.commit(std::move(transaction));
    co_return answer(shown(services, std::move(made)));
}

awaitable<Response> update_variable(Services& services, const Request& request) {
    auto body = decode<SandboxEnvironmentVariableUpdate>(request.body());
    storage::SealedSandboxVariable changed = co_await find_variable(services, request);
    body.key.set_into(changed.variable.key);
    body.description.set_into(changed.variable.description);
    if (body.value.has_value()) changed.sealed_value = services.sealer.seal(*body.value);
    changed.variable.last_updated_by_id = request.user_id;
    changed.variable.updated_at = now();
    storage::Transaction transaction;
    services.sandboxes.update_variable(transaction, changed);
    co_await services.database.commit(std::move(transaction));
    co_return answer(shown(services, std::move(changed)));
}

awaitable<Response> remove_variable(Services& services, const Request& request) {
    const storage::SealedSandboxVariable gone = co_await find_variable(services, request);
    storage::Transaction transaction;
    services.sandboxes.remove_variable(transaction, gone.variable);
    co_await services.database.commit(std::move(transaction));
    Response response;
    response.status = 204;
    co_return response;
}

}  // namespace

std::span<const Route> sandbox_config_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/sandbox-config", list, "sandbox_config.list", "", "SandboxConfig[]", "sandbox_type",
         Trait::paged},
        {Method::post, "/v1/sandbox-config", create, "sandbox_config.create", "SandboxConfigCreate", "SandboxConfig"},
        {Method::post, "/v1/sandbox-config/local", put_local, "sandbox_config.put_local", "LocalSandboxConfig",
         "SandboxConfig"},
        {Method::post, "/v1/sandbox-config/local/default", local_default, "sandbox_config.local_default", "",
         "SandboxConfig"},
        {Method::post, "/v1/sandbox-config/e2b/default", e2b_default, "sandbox_config.e2b_default", "",
         "SandboxConfig"},
        // Environments are made from the requirements when they are first needed; there is nothing to recreate.
        {Method::post, "/v1/sandbox-config/local/recreate-venv", local_default, "sandbox_config.recreate_venv", "",
         "SandboxConfig"},
        {Method::patch, "/v1/sandbox-config/{sandbox_config_id}", update, "sandbox_config.update",
         "SandboxConfigUpdate", "SandboxConfig"},
        {Method::delete_, "/v1/sandbox-config/{sandbox_config_id}", remove, "sandbox_config.delete", "", "", "",
         Trait::no_content},
        {Method::get, "/v1/sandbox-config/{sandbox_config_id}/environment-variable", list_variables,
         "sandbox_config.variables.list", "", "SandboxEnvironmentVariable[]", "", Trait::paged},
        {Method::post, "/v1/sandbox-config/{sandbox_config_id}/environment-variable", create_variable,
         "sandbox_config.variables.create", "SandboxEnvironmentVariableCreate", "SandboxEnvironmentVariable"},
        {Method::patch, "/v1/sandbox-config/environment-variable/{env_var_id}", update_variable,
         "sandbox_config.variables.update", "SandboxEnvironmentVariableUpdate", "SandboxEnvironmentVariable"},
        {Method::delete_, "/v1/sandbox-config/environment-variable/{env_var_id}", remove_variable,
         "sandbox_config.variables.delete", "", "", "", Trait::no_content},
    };
    return routes;
}

}  // namespace stele::api
