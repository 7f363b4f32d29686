#include "runtime/work_folders.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/worker_threads.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
namespace fs = std::filesystem;

constexpr std::uintmax_t folder_bytes_max = std::uintmax_t{1} << 30;
constexpr std::size_t folder_files_max = 10'000;
constexpr std::chrono::hours look_interval{1};
constexpr std::string_view unfinished = ".unfinished-";

constexpr std::pair<std::string_view, const char*> types[] = {
    {".csv", "text/csv"},        {".gif", "image/gif"},      {".html", "text/html"},        {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},      {".js", "text/javascript"}, {".json", "application/json"}, {".md", "text/markdown"},
    {".pdf", "application/pdf"}, {".png", "image/png"},      {".py", "text/x-python"},      {".svg", "image/svg+xml"},
    {".txt", "text/plain"},      {".webp", "image/webp"},    {".zip", "application/zip"},
};

bool is_unfinished(const fs::path& file) { return file.filename().string().starts_with(unfinished); }

SandboxFile described(const std::string& path, std::uintmax_t size) {
    SandboxFile file;
    file.path = path;
    file.name = path.substr(path.rfind('/') + 1);
    file.mimeType = media_type_of(path);
    file.size = static_cast<std::int64_t>(size);
    return file;
}

std::vector<SandboxFile> files_of(const fs::path& folder) {
    std::vector<SandboxFile> files;
    std::error_code failure;
    for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure))
        if (entry->is_regular_file(failure) && !is_unfinished(entry->path()))
            files.push_back(
                described(fs::relative(entry->path(), folder, failure).string(), entry->file_size(failure)));
    std::sort(files.begin(), files.end(), [](const SandboxFile& a, const SandboxFile& b) { return a.path < b.path; });
    return files;
}

void demand_room(const fs::path& folder, const std::string& path, std::uintmax_t bytes) {
    std::size_t count = 1;
    for (const SandboxFile& file : files_of(folder)) {
        if (file.path == path) continue;
        ++count;
        bytes += static_cast<std::uintmax_t>(file.size);
    }
    if (bytes > folder_bytes_max) throw Error(ErrorCode::too_large, "A sandbox holds at most 1 GiB");
    if (count > folder_files_max) throw Error(ErrorCode::too_large, "A sandbox holds at most 10000 files");
}

// Under another name first, and on the disk before it gets its own.
SandboxFile write_file(const fs::path& folder, const std::string& path, const std::string& bytes) {
    demand_room(folder, path, bytes.size());
    const fs::path target = folder / path;
    std::error_code failure;
    fs::create_directories(target.parent_path(), failure);
    if (failure || fs::is_directory(target, failure))
        throw Error(ErrorCode::conflict, "'" + path + "' can't be a file: a directory or file is in its way");
    const fs::path draft = target.parent_path() / (std::string(unfinished) + random_hex(8));
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool whole = file >= 0;
    for (std::size_t done = 0; whole && done < bytes.size();) {
        const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
        if (count > 0) done += static_cast<std::size_t>(count);
        whole = count > 0;
    }
    whole = whole && ::fsync(file) == 0;
    if (file >= 0) ::close(file);
    if (whole) fs::rename(draft, target, failure);
    if (!whole || failure) {
        fs::remove(draft, failure);
        throw Error(ErrorCode::unavailable, "The file can't be written: the disk may be full");
    }
    return described(path, bytes.size());
}

std::optional<std::string> read_file(const fs::path& file) {
    std::error_code failure;
    if (!fs::is_regular_file(file, failure) || is_unfinished(file)) return std::nullopt;
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::string> folders_in(const fs::path& root) {
    std::vector<std::string> ids;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(root, failure)) ids.push_back(entry.path().filename().string());
    return ids;
}

}  // namespace

std::string media_type_of(const std::string& path) {
    std::string end = fs::path(path).extension().string();
    for (char& c : end) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const auto& [extension, type] : types)
        if (end == extension) return type;
    return "application/octet-stream";
}

awaitable<Device> WorkFolders::create(std::string organization_id, std::string user_id, std::string agent_id,
                                      std::string conversation_id, std::string name) const {
    Device made;
    made.id = made.device_id = made.connection_id = new_id("sandbox");
    made.organization_id = std::move(organization_id);
    made.user_id = std::move(user_id);
    made.connection_name = name.empty() ? "sandbox" : std::move(name);
    made.first_seen_at = made.last_seen_at = now();
    std::optional<std::string> conversation;
    if (!conversation_id.empty()) conversation = std::move(conversation_id);
    storage::Transaction transaction;
    parts_.rows.insert_folder(transaction, made, agent_id, conversation);
    co_await parts_.database.commit(std::move(transaction));
    co_return made;
}

awaitable<void> WorkFolders::remove(Device folder) const {
    storage::Transaction transaction;
    parts_.rows.remove_folder(transaction, folder);
    co_await parts_.database.commit(std::move(transaction));
    co_await remove_files(folder.id);
}

awaitable<void> WorkFolders::remove_files(std::string folder_id) const {
    const fs::path folder = parts_.root / folder_id;
    std::function<bool()> work = [folder] {
        std::error_code failure;
        fs::remove_all(folder, failure);
        return !failure;
    };
    const bool gone = co_await parts_.workers.run<bool>(std::move(work));
    if (!gone) log::warn("work_folder.not_removed", {{"sandbox_id", folder_id}});
}

awaitable<SandboxFile> WorkFolders::write(std::string folder_id, std::string path, std::string bytes) const {
    const fs::path folder = parts_.root / folder_id;
    const auto content = std::make_shared<const std::string>(std::move(bytes));
    std::function<SandboxFile()> work = [folder, path, content] { return write_file(folder, path, *content); };
    co_return co_await parts_.workers.run<SandboxFile>(std::move(work));
}

awaitable<std::optional<std::string>> WorkFolders::read(std::string folder_id, std::string path) const {
    const fs::path file = parts_.root / folder_id / path;
    std::function<std::optional<std::string>()> work = [file] { return read_file(file); };
    co_return co_await parts_.workers.run<std::optional<std::string>>(std::move(work));
}

awaitable<std::vector<SandboxFile>> WorkFolders::list(std::string folder_id) const {
    const fs::path folder = parts_.root / folder_id;
    std::function<std::vector<SandboxFile>()> work = [folder] { return files_of(folder); };
    co_return co_await parts_.workers.run<std::vector<SandboxFile>>(std::move(work));
}

awaitable<void> WorkFolders::run() {
    Alarm::Round round = [this]() -> awaitable<std::chrono::milliseconds> {
        co_await remove_orphans();
        co_return look_interval;
    };
    co_await alarm_.go_on("work_folder.not_cleaned", look_interval, std::move(round));
}

awaitable<void> WorkFolders::remove_orphans() {
    const fs::path root = parts_.root;
    std::function<std::vector<std::string>()> look = [root] { return folders_in(root); };
    const std::vector<std::string> ids = co_await parts_.workers.run<std::vector<std::string>>(std::move(look));
    const std::vector<std::string> known = co_await parts_.rows.known_folders(ids);
    for (const std::string& id : ids)
        if (std::find(known.begin(), known.end(), id) == known.end()) co_await remove_files(id);
}

}  // namespace stele::runtime
