#include "runtime/git_memory.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "base/worker_threads.hpp"
#include "runtime/git_memory_plan.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using tools::GitRepository;

constexpr std::int64_t file_bytes_max = 1 << 20;  // larger ones are kept as files, and are no blocks
constexpr std::size_t blocks_max = 1'000;
constexpr std::int64_t blocks_bytes_max = 64 << 20;  // of all together; those behind are no blocks either
constexpr int attempts_max = 5;
constexpr std::chrono::hours look_interval{1};
constexpr std::string_view folder_suffix = ".git";

// The files of a commit that are blocks.
awaitable<MemoryFiles> memory_files(const GitRepository& repository, std::string commit) {
    const std::vector<tools::GitFile> all = co_await repository.files(std::move(commit));
    std::vector<std::string> labels, ids;
    std::int64_t bytes = 0;
    for (const tools::GitFile& file : all) {
        const auto label = label_of_path(file.path);
        if (!label || !file.regular || file.size > file_bytes_max || labels.size() == blocks_max) continue;
        if ((bytes += file.size) > blocks_bytes_max) break;
        labels.push_back(*label);
        ids.push_back(file.blob_id);
    }
    std::vector<std::string> texts = co_await repository.texts(std::move(ids));
    MemoryFiles files;
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (is_utf8(texts[i]) && texts[i].find('\0') == std::string::npos)
            files.emplace(std::move(labels[i]), std::move(texts[i]));
    co_return files;
}

std::string message_of(const std::vector<tools::GitChange>& changes) {
    std::string message = "Memory: ";
    for (std::size_t i = 0; i < changes.size() && i < 5; ++i)
        message += (i == 0 ? "" : ", ") + std::string(changes[i].text ? "" : "without ") + changes[i].path;
    if (changes.size() > 5) message += " and " + std::to_string(changes.size() - 5) + " more";
    return message;
}

std::vector<std::string> ids_of_folders(const std::filesystem::path& root) {
    std::vector<std::string> ids;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(root, failure)) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(folder_suffix)) ids.push_back(name.substr(0, name.size() - folder_suffix.size()));
    }
    return ids;
}

}  // namespace

GitRepository GitMemory::repository_of(const std::string& id) const {
    return GitRepository(parts_.root / (id + std::string(folder_suffix)));
}

awaitable<bool> GitMemory::enabled(std::string organization_id, std::string agent_id) const {
    const bool there = co_await parts_.agents.exists(organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    const auto commit = co_await parts_.rows.commit_of(organization_id, agent_id);
    if (commit) co_return true;
    storage::AgentFilter filter;
    filter.tags = {git_memory_tag};
    filter.show_hidden = true;
    SearchTerm by_id;
    by_id.field = "agentId";
    by_id.values = {agent_id};
    filter.terms.push_back(std::move(by_id));
    const std::int64_t tagged = co_await parts_.agents.count(organization_id, std::move(filter));
    co_return tagged > 0;
}

awaitable<OpenRepository> GitMemory::open(std::string organization_id, std::string user_id, std::string agent_id) {
    auto agent = co_await parts_.agents.find(organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    Lease lease = co_await leases_.acquire(agent_id);
    OpenRepository opened{repository_of(agent_id), std::move(lease), agent_id, {}, at_work_};
    co_await opened.repository.make();
    co_await follow_push(organization_id, std::move(user_id), agent_id, opened.repository);
    co_await commit_blocks(organization_id, std::move(*agent), opened.repository);
    co_return opened;
}

awaitable<OpenRepository> GitMemory::open_mounted(std::string organization_id, std::string agent_id, std::string name) {
    const auto found = co_await parts_.rows.find_mounted(organization_id, std::move(agent_id), name);
    if (!found) throw not_found("Repository", name);
    co_return co_await open_shared(std::move(organization_id), found->id);
}

awaitable<OpenRepository> GitMemory::open_shared(std::string organization_id, std::string repository_id) {
    const auto found = co_await parts_.rows.find(std::move(organization_id), repository_id);
    if (!found) throw not_found("Repository", repository_id);
    Lease lease = co_await leases_.acquire(repository_id);
    OpenRepository opened{repository_of(repository_id), std::move(lease), {}, repository_id, at_work_};
    co_await opened.repository.make();
    co_return opened;
}

awaitable<void> GitMemory::pushed(std::string organization_id, std::string user_id, const OpenRepository& opened) {
    if (!opened.agent_id.empty()) {
        co_await follow_push(std::move(organization_id), std::move(user_id), opened.agent_id, opened.repository);
        co_return;
    }
    storage::Transaction transaction;
    parts_.rows.touch(transaction, organization_id, opened.repository_id, now());
    co_await parts_.database.commit(std::move(transaction));
}

// What main has beyond the commit that the blocks agree with becomes the blocks, and the agreement is on record with
// them.
awaitable<void> GitMemory::follow_push(std::string organization_id, std::string user_id, std::string agent_id,
                                       const GitRepository& repository) const {
    const std::string head = co_await repository.head();
    const auto known = co_await parts_.rows.commit_of(organization_id, agent_id);
    const std::string agreed = known.value_or("");
    if (head.empty() || head == agreed) co_return;
    std::string base = co_await repository.commit_of(agreed);  // nothing where the folder was lost meanwhile
    const MemoryFiles before = co_await memory_files(repository, std::move(base));
    const MemoryFiles after = co_await memory_files(repository, head);
    BlockOrigin origin;
    origin.user_id = user_id;
    origin.tool = "git";
    for (int attempt = 1;; ++attempt) {
        const std::vector<Block> blocks = co_await parts_.blocks.of_agent(agent_id);
        PushPlan plan = plan_push(blocks, before, after);
        const Timestamp at = now();
        storage::Transaction transaction;
        for (Block& block : plan.changed) {
            block.updated_at = at;
            block.last_updated_by_id = user_id;
            parts_.blocks.update(transaction, organization_id, block, false, origin);
        }
        for (Block& block : plan.fresh) {
            block.id = new_id("block");
            block.created_at = block.updated_at = at;
            block.created_by_id = block.last_updated_by_id = user_id;
            parts_.blocks.insert(transaction, organization_id, block);
            parts_.blocks.attach(transaction, agent_id, block);
        }
        for (const Block& block : plan.gone) {
            storage::Page two;
            two.limit = 2;
            const std::vector<std::string> holders =
                co_await parts_.blocks.agents_of(organization_id, block.id, std::move(two));
            parts_.blocks.detach_if_held(transaction, agent_id, block.id);
            if (holders.size() < 2) parts_.blocks.remove(transaction, organization_id, block);
        }
        parts_.rows.set_commit(transaction, organization_id, agent_id, agreed, head, at);
        try {
            co_await parts_.database.commit(std::move(transaction));
            co_return;
        } catch (const Error& error) {  // an agent has edited one of its blocks in this moment
            if (error.type != changed_meanwhile_type || attempt == attempts_max) throw;
        }
    }
}

awaitable<void> GitMemory::commit_blocks(std::string organization_id, Agent agent,
                                         const GitRepository& repository) const {
    const std::string head = co_await repository.head();
    const std::vector<Block> blocks = co_await parts_.blocks.of_agent(agent.id);
    const MemoryFiles files = co_await memory_files(repository, head);
    std::vector<tools::GitChange> changes = plan_commit(blocks, files);
    if (changes.empty()) co_return;
    tools::GitAuthor author;
    author.name = agent.name;
    author.email = agent.id + "@stele";
    std::string message = message_of(changes);
    const std::string made =
        co_await repository.commit(head, std::move(author), std::move(message), std::move(changes));
    const auto agreed = co_await parts_.rows.commit_of(organization_id, agent.id);
    storage::Transaction transaction;
    parts_.rows.set_commit(transaction, organization_id, agent.id, agreed.value_or(""), made, now());
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<void> GitMemory::run() {
    while (!alarm_.stopped()) {
        try {
            co_await remove_orphans();
        } catch (const std::exception& error) {
            log::warn("git_memory.not_cleaned", {{"why", error.what()}});
        }
        co_await alarm_.sleep(look_interval);
    }
}

awaitable<void> GitMemory::remove_orphans() {
    const std::filesystem::path root = parts_.root;
    std::function<std::vector<std::string>()> look = [root] { return ids_of_folders(root); };
    std::vector<std::string> ids = co_await parts_.workers.run<std::vector<std::string>>(std::move(look));
    const std::vector<std::string> known = co_await parts_.rows.known(ids);
    for (const std::string& id : ids) {
        if (std::find(known.begin(), known.end(), id) != known.end()) continue;
        const Lease lease = co_await leases_.acquire(id);
        const std::filesystem::path folder = root / (id + std::string(folder_suffix));
        std::function<bool()> remove = [folder] {
            std::error_code failure;
            std::filesystem::remove_all(folder, failure);
            return !failure;
        };
        const bool gone = co_await parts_.workers.run<bool>(std::move(remove));
        log::info("git_memory.removed", {{"id", id}, {"gone", gone ? 1 : 0}});
    }
}

}  // namespace stele::runtime
