#pragma once

#include "api/route.hpp"

#include <map>

namespace stele::runtime {
class EphemeralConversations;
class GitMemory;
class MessageCapture;
class WorkFolders;
}  // namespace stele::runtime
namespace stele::storage {
class DeviceRepository;
class MemoryRepositoryTable;
class ReflectionRepository;
}  // namespace stele::storage

namespace stele::api {

class DeviceHub;

/// Where calls in a provider's own shape go: to the operator's server, unless an organisation has brought along its
/// own.
struct ProxyTarget {
    std::string base_url;  ///< without the "/v1" that its paths begin with
    Secret key;            ///< may be empty
};

/// What the terminal client's own routes work with. Built by app/, outlives every request. Thread-safe.
struct TerminalServices {
    std::string default_model;  ///< handle
    const storage::ReflectionRepository& reflections;
    const runtime::EphemeralConversations& ephemeral;
    const runtime::MessageCapture& capture;
    std::map<std::string, ProxyTarget> proxies;  ///< by kind of provider: anthropic, zai
    net::HttpClient& operator_http;              ///< for the operator's servers
    net::HttpClient& provider_http;              ///< for those that organisations bring along
    runtime::GitMemory& git_memory;
    const storage::DeviceRepository& devices;
    DeviceHub& device_hub;
    runtime::WorkFolders& work_folders;
};

}  // namespace stele::api
