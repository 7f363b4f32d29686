#pragma once

#include <boost/json/fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stele {

/// A part of an agent file that there may be any number of, or that may be large: it is read by itself.
struct AgentFilePart {
    enum class Kind : std::uint8_t {
        message,         ///< agents[owner].messages[index]
        legacy_message,  ///< messages[index], of the only agent of a file in the legacy form
        text,            ///< files[owner].content
    };
    Kind kind = Kind::message;
    std::size_t owner = 0, index = 0;
    std::size_t cost = 0;  ///< about the bytes of memory that it takes

    std::string place() const;  ///< "agents.0.messages.17"
};

/// Takes an agent file apart while it comes in pieces, cut anywhere: its parts are handed out as they end and the rest,
/// in which those lists and texts are empty, at the end. JSON as parse_json_value has it, or a JSON string with that in
/// it. Memory is bounded: by what one part may take, and by what the rest may.
/// Errors: Error{invalid_argument} (status 400) that names the reason and the place.
class AgentFileSplitter {
public:
    using OnPart = std::function<void(const AgentFilePart&, boost::json::value)>;

    explicit AgentFileSplitter(OnPart on_part);
    ~AgentFileSplitter();

    void feed(std::string_view bytes);

    /// The file without its parts.
    boost::json::value finish();

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace stele
