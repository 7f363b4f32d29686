#include "storage/provider_repository.hpp"

namespace stele::storage {
namespace {

#define STELE_PROVIDER_COLUMNS                                                                                       \
    "p.id, p.organization_id, p.name, p.provider_type, p.sealed_api_key, p.sealed_access_key, p.base_url, p.region," \
    " p.api_version, p.deleted, p.last_synced, p.created_by_id, p.last_updated_by_id, p.created_at, p.updated_at,"   \
    " p.version"

constexpr Statement select_by_id{"provider.by_id",
                                 "SELECT " STELE_PROVIDER_COLUMNS
                                 " FROM provider p WHERE p.organization_id = $1 AND p.id = $2 AND p.deleted = 0"};
constexpr Statement select_by_name{"provider.by_name", "SELECT " STELE_PROVIDER_COLUMNS
                                                       " FROM provider p WHERE p.organization_id = $1 AND p.name = $2"};
constexpr Statement select_all{"provider.all", "SELECT " STELE_PROVIDER_COLUMNS
                                               " FROM provider p WHERE p.deleted = 0 ORDER BY p.created_at, p.id"};
constexpr Statement insert_row{
    "provider.insert",
    "INSERT INTO provider (id, organization_id, name, provider_type, sealed_api_key, sealed_access_key, base_url, "
    "region,"
    " api_version, deleted, last_synced, created_by_id, last_updated_by_id, created_at, updated_at, version)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"};
constexpr Statement update_row{
    "provider.update",
    "UPDATE provider SET provider_type = $3, sealed_api_key = $4, sealed_access_key = $5, base_url = $6, region = $7,"
    " api_version = $8, deleted = $9, last_updated_by_id = $10, updated_at = $11, version = version + 1"
    " WHERE organization_id = $1 AND id = $2 AND version = $12"};
constexpr Statement update_synced{"provider.note_synced", "UPDATE provider SET last_synced = $2 WHERE id = $1"};

constexpr PageOrder by_created{"provider p", "provider", "p.created_at", "p.id"};

Select select_list(const std::string& organization_id, const ProviderFilter& filter) {
    Select select("SELECT " STELE_PROVIDER_COLUMNS " FROM provider p WHERE p.organization_id = ?",
                  to_value(organization_id));
    select.where("p.deleted = 0");
    if (filter.name) select.where("p.name = ?", filter.name);
    if (filter.provider_type) select.where("p.provider_type = ?", filter.provider_type);
    return select;
}

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

std::optional<std::string> sealed(const Sealer& sealer, const Secret& secret) {
    return secret.empty() ? std::nullopt : std::optional(sealer.seal(secret.reveal()));
}

}  // namespace

std::vector<StoredProvider> ProviderRepository::from_rows(Rows rows) const {
    std::vector<StoredProvider> found;
    for (Row& row : rows) {
        StoredProvider& provider = found.emplace_back();
        ProviderAnswer& shown = provider.shown;
        shown.id = row.take_text(0);
        shown.organization_id = row.take_text(1);
        shown.name = row.take_text(2);
        shown.provider_type = row.take_text(3);
        if (const auto key = row.optional_text(4)) provider.api_key = Secret(sealer_.open(*key));
        if (const auto key = row.optional_text(5)) provider.access_key = Secret(sealer_.open(*key));
        shown.base_url = row.optional_text(6);
        shown.region = row.optional_text(7);
        shown.api_version = row.optional_text(8);
        provider.deleted = row.flag(9);
        if (const auto synced = row.optional_integer(10)) shown.last_synced = from_micros(*synced);
        provider.created_by_id = row.take_text(11);
        provider.last_updated_by_id = row.take_text(12);
        provider.created_at = from_micros(row.integer(13));
        shown.updated_at = from_micros(row.integer(14));
        provider.version = row.integer(15);
    }
    return found;
}

boost::asio::awaitable<std::optional<StoredProvider>> ProviderRepository::find(std::string organization_id,
                                                                               std::string id) const {
    auto found = from_rows(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::optional<StoredProvider>> ProviderRepository::find_by_name(std::string organization_id,
                                                                                       std::string name) const {
    auto found = from_rows(co_await database_.query(select_by_name, std::move(organization_id), std::move(name)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::vector<StoredProvider>> ProviderRepository::list(std::string organization_id,
                                                                             ProviderFilter filter, Page page) const {
    Select select = select_list(organization_id, filter);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

boost::asio::awaitable<std::vector<StoredProvider>> ProviderRepository::all() const {
    co_return from_rows(co_await database_.query(select_all));
}

void ProviderRepository::insert(Transaction& transaction, const StoredProvider& provider) const {
    const ProviderAnswer& shown = provider.shown;
    transaction
        .add(insert_row, shown.id, shown.organization_id, shown.name, shown.provider_type,
             sealed(sealer_, provider.api_key), sealed(sealer_, provider.access_key), shown.base_url, shown.region,
             shown.api_version, provider.deleted ? 1 : 0, micros(shown.last_synced), provider.created_by_id,
             provider.last_updated_by_id, to_micros(provider.created_at), to_micros(shown.updated_at), provider.version)
        .expect_free(changed_meanwhile("Provider", shown.name));
}

void ProviderRepository::update(Transaction& transaction, StoredProvider& provider) const {
    const ProviderAnswer& shown = provider.shown;
    transaction
        .add(update_row, shown.organization_id, shown.id, shown.provider_type, sealed(sealer_, provider.api_key),
             sealed(sealer_, provider.access_key), shown.base_url, shown.region, shown.api_version,
             provider.deleted ? 1 : 0, provider.last_updated_by_id, to_micros(shown.updated_at), provider.version)
        .expect_row(changed_meanwhile("Provider", shown.id));
    ++provider.version;
}

void ProviderRepository::note_synced(Transaction& transaction, const std::string& id, Timestamp at) const {
    transaction.add(update_synced, id, to_micros(at));
}

std::vector<Statement> ProviderRepository::statements() {
    ProviderFilter filter;
    filter.name = filter.provider_type = "x";
    return {select_by_id,
            select_by_name,
            select_all,
            insert_row,
            update_row,
            update_synced,
            select_list("o", filter).query().statement};
}

}  // namespace stele::storage
