// The files of a folder.
#include "api/folder_query.hpp"
#include "base/ids.hpp"
#include "net/multipart.hpp"
#include "runtime/file_service.hpp"
#include "storage/passage_repository.hpp"

#include <algorithm>

namespace stele::api {
namespace {

using runtime::DuplicateHandling;
using runtime::FileUpload;

DuplicateHandling duplicates_of(const Query& query) {
    const std::string word = query.text("duplicate_handling").value_or("suffix");
    if (word == "suffix") return DuplicateHandling::suffix;
    if (word == "skip") return DuplicateHandling::skip;
    if (word == "error") return DuplicateHandling::error;
    if (word == "replace") return DuplicateHandling::replace;
    throw invalid_field("query.duplicate_handling", "must be one of: suffix, skip, error, replace");
}

// The form's part with the file: clients have called it by more than one name.
FileUpload upload_of(const Request& request) {
    FileUpload upload;
    upload.folder_id = folder_id_of(request);
    upload.name = request.query.text("name");
    upload.duplicates = duplicates_of(request.query);
    const std::string* type = request.http.headers.find("Content-Type");
    for (const net::FormPart& part : net::parse_form(type == nullptr ? "" : *type, request.body())) {
        if (part.name != "file" && part.name != "upload" && part.name != "file_path") continue;
        if (part.file_name.empty() && !upload.name)
            throw invalid_field("body." + part.name, "must be a file: it has no file name");
        upload.sent_name = part.file_name;
        upload.content_type = part.content_type;
        upload.bytes = std::string(part.content);
        return upload;
    }
    throw invalid_field("body.file", "is required");
}

awaitable<Response> upload(Services& services, const Request& request) {
    const Folder folder = co_await services.folder_service.get(request.organization_id, folder_id_of(request));
    FileUpload sent = upload_of(request);
    const auto made = co_await services.file_service.upload(request.organization_id, request.user_id, std::move(sent));
    Response shown = answer(made.file);
    if (made.skipped) shown.headers.add("X-Upload-Result", "skipped");
    co_return shown;
}

awaitable<Response> list(Services& services, const Request& request) {
    const std::string id = folder_id_of(request);
    request.query.flag("check_status_updates");  // it is up to date always
    storage::Page page = page_of(request.query, {.limit = 1'000});
    const bool text = request.query.flag("include_content").value_or(false);
    const std::vector<FileMetadata> files =
        co_await services.file_service.list(request.organization_id, id, std::move(page), text);
    co_return answer(files);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = folder_id_of(request), file_id = request.path_id("file_id", "file");
    const bool text = request.query.flag("include_content").value_or(false);
    const FileMetadata file = co_await services.file_service.get(request.organization_id, id, file_id, text);
    co_return answer(file);
}

awaitable<Response> remove_file(Services& services, const Request& request, std::string file_id) {
    const std::string id = folder_id_of(request);
    co_await services.file_service.remove(request.organization_id, id, std::move(file_id));
    Response gone;
    gone.status = 204;
    co_return gone;
}

awaitable<Response> remove(Services& services, const Request& request) {
    return remove_file(services, request, request.path_id("file_id", "file"));
}

// The seed names the file in the query or in the body.
awaitable<Response> remove_named(Services& services, const Request& request) {
    folder_id_of(request);  // what is wrong with the path is told first
    std::string id = request.query.text("file_id").value_or("");
    if (id.empty() && !request.body().empty()) id = json_member_text(request.body(), "file_id").value_or("");
    if (!is_id(id, "file")) throw invalid_field("query.file_id", "must match 'file-{uuid4}'");
    return remove_file(services, request, std::move(id));
}

// A chunk was stored under the name that its file had then.
awaitable<Response> list_passages(Services& services, const Request& request) {
    const std::string id = folder_id_of(request);
    storage::Page page = page_of(request.query, {.limit = 100});
    const Folder folder = co_await services.folder_service.get(request.organization_id, id);
    storage::PassageFilter filter;
    filter.organization_id = request.organization_id;
    filter.scope_ids = {folder.id};
    std::vector<Passage> passages = co_await services.passages.list(std::move(filter), std::move(page));
    for (Passage& passage : passages) {
        const std::string name = passage.file_name.value_or("");
        passage.file_name = folder.name + name.substr(std::min(name.rfind('/'), name.size()));
    }
    co_return answer(passages);
}

constexpr std::string_view upload_query = "duplicate_handling, name", list_query = "include_content:boolean",
                           source_list_query = "include_content:boolean, check_status_updates:boolean";

}  // namespace

std::span<const Route> folder_file_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/folders/{folder_id}/upload", upload, "folders.files.upload", "multipart/form-data",
         "FileMetadata", upload_query},
        {Method::get, "/v1/folders/{folder_id}/files", list, "folders.files.list", "", "FileMetadata[]", list_query,
         Trait::paged},
        {Method::get, "/v1/folders/{folder_id}/files/{file_id}", retrieve, "folders.files.retrieve", "", "FileMetadata",
         list_query},
        {Method::get, "/v1/folders/{folder_id}/passages", list_passages, "folders.passages.list", "", "Passage[]", "",
         Trait::paged},
        {Method::get, "/v1/sources/{source_id}/passages", list_passages, "sources.passages.list", "", "Passage[]", "",
         Trait::paged},
        {Method::delete_, "/v1/folders/{folder_id}/{file_id}", remove, "folders.files.delete", "", "", "",
         Trait::no_content},
        {Method::post, "/v1/sources/{source_id}/upload", upload, "sources.files.upload", "multipart/form-data",
         "FileMetadata", upload_query},
        {Method::get, "/v1/sources/{source_id}/files", list, "sources.files.list", "", "FileMetadata[]",
         source_list_query, Trait::paged},
        {Method::get, "/v1/sources/{source_id}/files/{file_id}", retrieve, "sources.get_file_metadata", "",
         "FileMetadata", list_query},
        {Method::delete_, "/v1/sources/{source_id}/files", remove_named, "sources.files.delete_named", "", "",
         "file_id", Trait::no_content},
        {Method::delete_, "/v1/sources/{source_id}/{file_id}", remove, "sources.files.delete", "", "", "",
         Trait::no_content},
    };
    return routes;
}

}  // namespace stele::api
