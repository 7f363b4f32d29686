#include "domain/access_token.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>
#include <cctype>

namespace stele {
namespace {

constexpr std::chrono::minutes life_standard{5};
constexpr std::chrono::hours life_max{24 * 30};
constexpr std::size_t agents_max = 100;
constexpr std::size_t origin_bytes_max = 255;

std::optional<AgentAccess> parse_access(std::string_view word) {
    AgentAccess access{};
    if (!boost::describe::enum_from_string(std::string(word).c_str(), access)) return std::nullopt;
    return access;
}

void join(AccessPolicy& policy, const AccessItem& item) {
    auto known = std::find_if(policy.data.begin(), policy.data.end(),
                              [&](const AccessItem& each) { return each.id == item.id; });
    if (known == policy.data.end()) {
        policy.data.push_back({item.type, item.id, {}});
        known = policy.data.end() - 1;
    }
    for (const std::string& access : item.access)
        if (std::find(known->access.begin(), known->access.end(), access) == known->access.end())
            known->access.push_back(access);
}

}  // namespace

void check(const AccessItem& item, Problems& problems) {
    if (item.type != "agent") problems.add("type", "must be agent", "literal_error", json_string(item.type));
    if (!is_id(item.id, "agent")) problems.add("id", "must match 'agent-{uuid4}'", "string_pattern_mismatch");
    problems.enter("access");
    for (std::size_t i = 0; i < item.access.size(); ++i)
        if (!parse_access(item.access[i]))
            problems.add(std::to_string(i), "must be one of: read_messages, write_messages, read_agent, write_agent",
                         "literal_error", json_string(item.access[i]));
    problems.leave();
}

Error hosted_refusal(const std::string& code, const std::string& message) {
    Error error = refused(message);
    error.members.emplace_back("message", message);
    error.members.emplace_back("errorCode", code);
    return error;
}

AccessToken plan_access_token(const CreateAccessToken& request, Timestamp time) {
    if (request.policy.empty()) throw hosted_refusal("emptyPolicy", "body.policy: names no agent");
    if (request.policy.size() > agents_max)
        throw hosted_refusal("policyTooLarge", "body.policy: at most " + std::to_string(agents_max) + " agents");
    AccessToken made;
    for (const AccessItem& item : request.policy) {
        if (item.access.empty()) throw hosted_refusal("emptyAccess", "body.policy: " + item.id + " has no access");
        join(made.policy, item);
    }
    if (!is_origin(request.hostname))
        throw hosted_refusal("invalidHostname",
                             "body.hostname: must be an origin, scheme://host or scheme://host:port, without a path");
    made.hostname = request.hostname;
    made.expiresAt = request.expires_at.value_or(time + life_standard);
    if (made.expiresAt <= time) throw hosted_refusal("expired", "body.expires_at: this time has passed");
    if (made.expiresAt > time + life_max) throw hosted_refusal("expiresTooLate", "body.expires_at: at most 30 days");
    made.created_at = time;
    return made;
}

std::optional<bool> allows(const AccessPolicy& policy, const std::string& agent_id, AgentAccess access) {
    for (const AccessItem& item : policy.data) {
        if (item.id != agent_id) continue;
        return std::any_of(item.access.begin(), item.access.end(),
                           [&](const std::string& word) { return parse_access(word) == access; });
    }
    return std::nullopt;
}

// Browsers send lower-case hosts and leave the standard port out (WHATWG URL, "origin", and RFC 6454 section 6.2).
bool is_origin(std::string_view text) {
    if (text.size() > origin_bytes_max) return false;
    const bool secure = text.starts_with("https://");
    if (!secure && !text.starts_with("http://")) return false;
    text.remove_prefix(secure ? 8 : 7);
    const bool bracketed = text.starts_with('[');
    const std::size_t bracket = text.find(']');
    if (bracketed && bracket == std::string_view::npos) return false;
    const std::size_t colon = text.find(':', bracketed ? bracket : 0);
    const std::string_view host = text.substr(0, colon);
    const auto in_host = [&](unsigned char c) {
        return std::isdigit(c) != 0 || std::islower(c) != 0 || c == '-' || c == '.' || c == '_' ||
               (bracketed && (c == ':' || c == '[' || c == ']'));
    };
    if (host.empty() || !std::all_of(host.begin(), host.end(), in_host)) return false;
    if (bracketed && (host.size() < 4 || host.find(']') != host.size() - 1)) return false;
    if (colon == std::string_view::npos) return true;
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.front() == '0') return false;
    if (!std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) return false;
    const int number = std::stoi(std::string(port));
    return number <= 65'535 && number != (secure ? 443 : 80);
}

std::vector<std::string> members_set(std::string_view object) {
    const JsonParse parsed = parse_json_value(object);
    std::vector<std::string> names;
    if (!parsed.problem.empty() || !parsed.value.is_object()) return names;
    for (const auto& [name, value] : parsed.value.get_object())
        if (!value.is_null()) names.emplace_back(name);
    return names;
}

STELE_JSON_WRITTEN(AccessToken)
STELE_JSON_WRITTEN(AccessTokens)
STELE_JSON_READ(CreateAccessToken)

}  // namespace stele
