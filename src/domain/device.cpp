#include "domain/device.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t name_characters_max = 255;
constexpr std::size_t metadata_bytes_max = 64u << 10;
constexpr std::size_t messages_max = 1'000;
constexpr std::string_view modes[] = {"default", "standard",          "acceptEdits",
                                      "plan",    "bypassPermissions", "unrestricted"};

void check_name(const char* member, const std::string& text, Problems& problems) {
    const std::size_t length = code_points(text);
    if (length < 1 || length > name_characters_max)
        problems.add(member, "must have 1 to 255 characters", length < 1 ? "string_too_short" : "string_too_long");
}

// The words by which a device tells one kind of message from the other.
bool is_message(const Json& message) {
    if (!message.text.starts_with('{')) return false;
    if (json_member_text(message.text, "role") == "user")
        return json_member_text(message.text, "content") && json_member_text(message.text, "client_message_id");
    const auto approvals = json_member_text(message.text, "approvals");
    return json_member_text(message.text, "type") == "approval" && approvals && approvals->starts_with('[');
}

}  // namespace

bool is_device_mode(std::string_view mode) {
    return std::find(std::begin(modes), std::end(modes), mode) != std::end(modes);
}

void check(const DeviceRegistration& request, Problems& problems) {
    check_name("deviceId", request.deviceId, problems);
    check_name("connectionName", request.connectionName, problems);
    if (!request.metadata.has_value()) return;
    if (!request.metadata->text.starts_with('{')) problems.add("metadata", "must be an object", "dict_type");
    if (request.metadata->text.size() > metadata_bytes_max)
        problems.add("metadata", "must have at most 65536 bytes", "too_long");
}

void check(const DeviceMessages& request, Problems& problems) {
    if (request.messages.empty()) problems.add("messages", "must not be empty", "too_short");
    if (request.messages.size() > messages_max) problems.add("messages", "must have at most 1000 elements", "too_long");
    for (std::size_t i = 0; i < request.messages.size() && i < messages_max; ++i)
        if (!is_message(request.messages[i]))
            problems.add("messages." + std::to_string(i),
                         "must be a user message (role, content, client_message_id) or an approval (type, approvals)",
                         "union_tag_invalid");
}

void check(const TeleportRequest& request, Problems& problems) {
    check_name("targetConnectionId", request.targetConnectionId, problems);
    check_name("idempotencyKey", request.idempotencyKey, problems);
}

STELE_JSON_WRITTEN(DeviceConnection)
STELE_JSON_WRITTEN(DeviceConnections)
STELE_JSON_READ(DeviceRegistration)
STELE_JSON_WRITTEN(DeviceRegistered)
STELE_JSON_READ(DeviceMessages)
STELE_JSON_WRITTEN(DeviceDone)
STELE_JSON_WRITTEN(DeviceStorageKey)
STELE_JSON_READ(DeviceFrame)
STELE_JSON_READ(TeleportRequest)
STELE_JSON_WRITTEN(Teleport)

}  // namespace stele
