#pragma once

#include "runtime/agent_loader.hpp"
#include "tools/code_runner.hpp"

namespace stele::tools {
class Sandbox;
struct Program;
}  // namespace stele::tools

namespace stele::runtime {

class CustomTools;
struct CallOrigin;

/// Programs that an agent writes, in the sandbox of its tools. Belongs to a step; references outlive it.
class AgentCode final : public tools::CodeRunner {
public:
    struct Caller {
        const std::string& organization_id;
        const std::string& user_id;
        const CallOrigin& origin;
    };

    AgentCode(const CustomTools& custom_tools, tools::Sandbox& sandbox, const LoadedAgent& loaded, Caller caller)
        : custom_tools_(custom_tools), sandbox_(sandbox), loaded_(loaded), caller_(caller) {}

    std::vector<std::string> languages() const override;
    boost::asio::awaitable<tools::CodeOutcome> run(tools::Code code) override;

private:
    const CustomTools& custom_tools_;
    tools::Sandbox& sandbox_;
    const LoadedAgent& loaded_;
    const Caller caller_;
};

/// What a program of the agent finds: the sources of its tools in Python in front, and with `with_tools` functions
/// that have its other tools run.
tools::Program program_for(const LoadedAgent& loaded, bool with_tools);

}  // namespace stele::runtime
