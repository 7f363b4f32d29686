#include "app/terminal_parts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <cstdlib>

namespace stele::app {
namespace {

constexpr char anthropic_url[] = "https://api.anthropic.com", zai_url[] = "https://api.z.ai";
constexpr char zai_path[] = "/api/anthropic";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value == nullptr ? "" : value;
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
    return text;
}

std::string base_url(std::string url, const char* standard) {
    if (url.empty()) url = standard;
    while (url.ends_with('/')) url.pop_back();
    if (url.ends_with("/v1")) url.resize(url.size() - 3);
    return url;
}

// Of the same variables by which the providers of models are told. Z.ai's names its other protocol's path.
std::map<std::string, api::ProxyTarget> proxies() {
    std::map<std::string, api::ProxyTarget> made;
    made["anthropic"] = {base_url(environment("ANTHROPIC_BASE_URL"), anthropic_url),
                         Secret(environment("ANTHROPIC_API_KEY"))};
    std::string zai = base_url(environment("ZAI_BASE_URL"), zai_url);
    const std::size_t host = zai.find("://");
    zai = zai.substr(0, zai.find('/', host == std::string::npos ? 0 : host + 3));
    made["zai"] = {zai + zai_path, Secret(environment("ZAI_API_KEY"))};
    return made;
}

std::filesystem::path folder(const Options& options, const char* name) {
    return std::filesystem::absolute(options.data) / name;
}

}  // namespace

TerminalParts::TerminalParts(const Needs& needs)
    : ephemeral_rows_(needs.database),
      git_rows_(needs.database),
      devices_(needs.database),
      ephemeral_({needs.database, ephemeral_rows_, needs.agent_service, needs.conversation_service}),
      capture_({needs.database, needs.agents, needs.messages, needs.conversations, needs.runs, needs.runtime}),
      git_memory_({needs.database, needs.agents, needs.blocks, git_rows_, needs.workers,
                   folder(needs.options, "git-memory"), needs.executor}),
      device_hub_(needs.database, devices_),
      work_folders_({needs.database, devices_, needs.workers, folder(needs.options, "sandboxes"), needs.executor}),
      services_{needs.options.default_model, reflections_, ephemeral_, capture_,    proxies(),    needs.operator_http,
                needs.provider_http,         git_memory_,  devices_,   device_hub_, work_folders_} {}

void TerminalParts::start(const boost::asio::any_io_executor& executor) {
    boost::asio::co_spawn(executor, git_memory_.run(), boost::asio::detached);
    boost::asio::co_spawn(executor, work_folders_.run(), boost::asio::detached);
}

void TerminalParts::stop() {
    git_memory_.stop();
    work_folders_.stop();
}

}  // namespace stele::app
