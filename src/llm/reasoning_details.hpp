#pragma once

#include <boost/json/array.hpp>
#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace stele::llm {

/// What a server hands out beside the words of an answer's reasoning, to be sent back as it is: signatures, encrypted
/// thoughts, summaries. Put together from the pieces of a stream, or from a whole answer at once. Source: OpenRouter,
/// "Reasoning tokens: preserving reasoning", 2025-09.
class ReasoningDetails {
public:
    /// Takes the member reasoning_details of a message, or of a stream's delta.
    void add(const boost::json::array& pieces);

    /// The words among them, as far as they can be read; for servers that send them nowhere else.
    static std::string words(const boost::json::array& pieces);

    /// Whether `text` is such a list. What is stored may have come from a client.
    static bool is_list(std::string_view text);

    /// The whole list as JSON; empty if there was none.
    std::string json() const;

private:
    boost::json::object* begun(const boost::json::object& piece);

    boost::json::array details_;
};

}  // namespace stele::llm
