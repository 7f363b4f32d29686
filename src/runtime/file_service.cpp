#include "runtime/file_service.hpp"

#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "domain/file_name.hpp"
#include "domain/image.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t numbers_tried_max = 1'000;
constexpr std::int64_t texts_bytes_max = 200 << 20;  // of one answer
constexpr char took_too_long[] = "The work on the file was given up: it ran into its timeout";

// What a text file says: bytes that are no UTF-8 are marked as such; a mark of the byte order and NULs go.
std::string text_of_bytes(const std::string& bytes) {
    std::string text = to_valid_utf8(bytes);
    if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    std::erase(text, '\0');
    return text;
}

bool is_image(const FileType& type) { return is_image_type(type.mime); }

// An image is what its bytes show, unless it was sent as a type that has a text.
FileType type_of(const FileUpload& upload, const std::string& name) {
    const std::optional<FileType> of_text = file_type_of(upload.content_type, name);
    const bool sent_as_image = is_image_type(upload.content_type);
    if (of_text && !sent_as_image) return *of_text;
    FileType image;
    image.mime = image_type_of(upload.bytes);
    if (image.mime.empty())
        throw Error(ErrorCode::unsupported_media, "Unsupported file type: '" + upload.content_type.substr(0, 100) +
                                                      "' of the file " + name + ". Folders take " +
                                                      supported_file_types + ", and images (PNG, JPEG, GIF, WebP)");
    if (upload.bytes.size() > image_bytes_max)
        throw refused("The image " + name + " has " + std::to_string(upload.bytes.size()) +
                      " bytes; models take no more than " + std::to_string(image_bytes_max));
    return image;
}

}  // namespace

awaitable<FileMetadata> FileService::store(FileMetadata file, std::string base_name, std::size_t number,
                                           std::string content, std::optional<FileMetadata> replaced,
                                           bool numbered) const {
    for (std::size_t tried = 0;; ++tried) {
        file.file_name = numbered_file_name(base_name, number + tried);
        storage::Transaction transaction;
        if (replaced) parts_.ingest.remove(transaction, *replaced);
        parts_.files.insert(transaction, file);
        if (file.has_text)
            parts_.files.set_text(transaction, file.id, content);
        else
            parts_.files.set_bytes(transaction, file.id, content);
        try {
            co_await parts_.database.commit(std::move(transaction));
            co_return file;
        } catch (const Error& error) {
            if (error.type != storage::name_taken_type || !numbered || tried == numbers_tried_max) throw;
        }
    }
}

awaitable<FileService::Uploaded> FileService::upload(std::string organization_id, std::string actor,
                                                     FileUpload upload) const {
    const Folder folder = co_await parts_.folder_service.get(organization_id, upload.folder_id);
    const std::string name = clean_file_name(upload.name.value_or(upload.sent_name));
    if (name.empty()) throw refused("The file has no name that can be kept; give one with the query parameter name");
    if (upload.bytes.size() > parts_.bytes_max)
        throw refused("The file has " + std::to_string(upload.bytes.size()) + " bytes; a folder takes files of up to " +
                      std::to_string(parts_.bytes_max) + " bytes");
    const FileType type = type_of(upload, name);
    std::optional<FileMetadata> there;
    if (upload.duplicates != DuplicateHandling::suffix) there = co_await parts_.files.find_by_name(folder.id, name);
    if (there && upload.duplicates == DuplicateHandling::error)
        throw refused("The file '" + name + "' is in the folder '" + folder.name + "' already");
    if (there && upload.duplicates == DuplicateHandling::skip) {
        Uploaded kept;
        kept.file = std::move(*there);
        kept.skipped = true;
        co_return kept;
    }
    FileMetadata file;
    file.id = new_id("file");
    file.organization_id = organization_id;
    file.source_id = folder.id;
    file.folder_name = folder.name;
    file.original_file_name = name;
    file.file_type = type.mime;
    file.kind = type.kind;
    file.file_size = static_cast<std::int64_t>(upload.bytes.size());
    file.processing_status = is_image(type) ? FileStatus::completed : FileStatus::parsing;
    file.has_text = !type.is_pdf && !is_image(type);
    file.created_by_id = std::move(actor);
    file.created_at = file.updated_at = now();
    std::string content = std::move(upload.bytes);
    if (file.has_text) {
        std::function<std::string()> read = [content = std::move(content)] { return text_of_bytes(content); };
        content = co_await parts_.workers.run(std::move(read));
    }
    std::size_t number = 0;
    const bool numbered = upload.duplicates == DuplicateHandling::suffix;
    if (numbered) number = static_cast<std::size_t>(co_await parts_.files.count_by_original_name(folder.id, name));
    file = co_await store(std::move(file), name, number, std::move(content), std::move(there), numbered);
    if (file.has_text) co_await parts_.ingest.show(file);
    parts_.ingest.wake();
    Uploaded made;
    made.file = std::move(file);
    co_return made;
}

awaitable<std::string> FileService::image(std::string organization_id, std::string file_id) const {
    const auto file = co_await parts_.files.find(std::move(organization_id), file_id);
    if (!file) throw not_found("File", file_id);
    std::optional<std::string> bytes;
    if (file->file_type && is_image_type(*file->file_type)) bytes = co_await parts_.files.bytes(file_id);
    if (!bytes) throw refused("The file " + file->full_name() + " is no image");
    co_return std::move(*bytes);
}

// The work on a file that takes too long is given up by whoever looks at it.
awaitable<bool> FileService::give_up_late_ones(std::string organization_id,
                                               const std::vector<FileMetadata>& files) const {
    const Timestamp deadline = now() - parts_.patience;
    const bool any = std::any_of(files.begin(), files.end(), [&](const FileMetadata& file) {
        return !is_final(file.processing_status) && file.begun_at && *file.begun_at < deadline;
    });
    if (!any) co_return false;
    storage::Transaction transaction;
    parts_.files.give_up(transaction, organization_id, deadline, took_too_long);
    co_await parts_.database.commit(std::move(transaction));
    co_return true;
}

awaitable<FileMetadata> FileService::get(std::string organization_id, std::string folder_id, std::string file_id,
                                         bool text) const {
    for (bool again = true;; again = false) {
        auto file = co_await parts_.files.find_in(organization_id, folder_id, file_id);
        if (!file) throw not_found("File", file_id);
        const std::vector<FileMetadata> one{*file};
        const bool late = again && co_await give_up_late_ones(organization_id, one);
        if (late) continue;
        if (text) file->content = co_await parts_.files.text(file_id);
        co_return std::move(*file);
    }
}

awaitable<std::vector<FileMetadata>> FileService::list(std::string organization_id, std::string folder_id,
                                                       storage::Page page, bool text) const {
    const Folder folder = co_await parts_.folder_service.get(organization_id, std::move(folder_id));
    for (bool again = true;; again = false) {
        storage::Page here = page;
        std::vector<FileMetadata> files = co_await parts_.files.list(organization_id, folder.id, std::move(here));
        const bool late = again && co_await give_up_late_ones(organization_id, files);
        if (late) continue;
        std::int64_t bytes = 0;
        for (const FileMetadata& file : files) bytes += file.file_size.value_or(0);
        if (text && bytes > texts_bytes_max)
            throw refused("include_content: these files have " + std::to_string(bytes) +
                          " bytes; ask for fewer at once, by limit");
        if (text)
            for (FileMetadata& file : files) file.content = co_await parts_.files.text(file.id);
        co_return files;
    }
}

awaitable<void> FileService::remove(std::string organization_id, std::string folder_id, std::string file_id) const {
    const auto file = co_await parts_.files.find_in(organization_id, folder_id, file_id);
    if (!file) throw not_found("File", file_id);
    std::vector<std::string> agents = co_await parts_.folders.agents(organization_id, folder_id);
    storage::Transaction transaction;
    parts_.ingest.remove(transaction, *file);
    co_await parts_.database.commit(std::move(transaction));
    co_await parts_.folder_service.refresh(std::move(organization_id), std::move(agents));
}

awaitable<OrganizationSourcesStats> FileService::stats(std::string organization_id,
                                                       std::optional<std::string> folder_id, bool detailed) const {
    std::vector<SourceStats> sources = co_await parts_.folders.stats(organization_id, folder_id);
    if (folder_id && sources.empty()) throw not_found("Folder", *folder_id);
    OrganizationSourcesStats stats;
    stats.total_sources = static_cast<std::int64_t>(sources.size());
    for (SourceStats& each : sources) {
        stats.total_files += each.file_count;
        stats.total_size += each.total_size;
        if (!detailed) continue;
        const std::vector<FileMetadata> files = co_await parts_.files.all_of_folder(each.source_id);
        for (const FileMetadata& file : files)
            each.files.push_back({file.id, file.file_name.value_or(""), file.file_size});
    }
    if (detailed) stats.sources = std::move(sources);
    co_return stats;
}

}  // namespace stele::runtime
