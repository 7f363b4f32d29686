#pragma once

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace stele::tools {

/// A program that a model wrote.
struct Code {
    std::string text;
    std::string language = "python";  ///< or js, ts
    bool with_tools = false;          ///< all tools of the agent can be called in it; else those written in Python
};

/// What came of it.
struct CodeOutcome {
    std::string value_json = "null";       ///< of the last expression
    std::optional<std::string> text;       ///< the same as people read it; nothing if there is no such value
    std::string error_name;                ///< not empty: it failed
    std::string error_message, traceback;  ///< if it failed
    std::string out, err;                  ///< what was printed
};

/// The way from a tool to the sandbox. Belongs to the run that calls the tool.
class CodeRunner {
public:
    virtual ~CodeRunner() = default;

    /// What this server can run, of the words that Code::language takes.
    virtual std::vector<std::string> languages() const = 0;

    /// Throws ToolFailure if the sandbox can't be had.
    virtual boost::asio::awaitable<CodeOutcome> run(Code code) = 0;
};

}  // namespace stele::tools
