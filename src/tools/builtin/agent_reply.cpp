#include "tools/builtin/agent_reply.hpp"

namespace stele::tools {
namespace {

constexpr char no_response[] = "<no response>";

// Clients look for single quotes; so a text is quoted as its reader would.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + "'";
}

}  // namespace

std::string shown(const AgentReply& reply) {
    std::string texts;
    for (const std::string& text : reply.texts) texts += (texts.empty() ? "" : ", ") + quoted(text);
    if (texts.empty()) texts = quoted(no_response);
    std::string out = "{'agent_id': " + quoted(reply.agent_id) + ", 'response': [" + texts + "]";
    if (!reply.failure.empty()) out += ", 'error': " + quoted(reply.failure);
    return out + "}";
}

std::string shown(const std::vector<AgentReply>& replies) {
    std::string out = "[";
    for (const AgentReply& reply : replies) out += (out.size() > 1 ? ", " : "") + shown(reply);
    return out + "]";
}

}  // namespace stele::tools
