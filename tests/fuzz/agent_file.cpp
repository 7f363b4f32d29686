// Any bytes as an agent file: it is read, or refused with a reason; what is read becomes messages.
#include "domain/agent_file.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    try {
        const stele::AgentFile file = stele::parse_agent_file(std::string(reinterpret_cast<const char*>(data), size));
        for (const stele::FileAgent& agent : file.agents) {
            const auto messages = stele::stored_messages(agent.links.messages);
            if (messages.size() != agent.links.messages.size()) std::abort();
            for (const stele::Message& message : messages) stele::file_message(message, "UTC");
        }
    } catch (const stele::Error& error) {
        if (error.code != stele::ErrorCode::invalid_argument) std::abort();
    }
    return 0;
}
