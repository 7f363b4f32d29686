#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stele::runtime {

/// Follows a JSON object while it is being written and hands over the text of its top-level string members, unescaped,
/// as far as it has come. For agents that speak through a tool: the words show before the call is complete. Takes bytes
/// cut anywhere; what is no JSON gives no text. No I/O. (RFC 8259)
class ArgumentStream {
public:
    /// `text`: the next piece of the member `name`; whole UTF-8 sequences only if the input was so.
    using Sink = std::function<void(const std::string& name, std::string_view text)>;

    explicit ArgumentStream(Sink sink) : sink_(std::move(sink)) {}

    void feed(std::string_view bytes);

private:
    enum class Place : std::uint8_t { start, key_or_end, key, colon, value, string, skipped, skipped_string, done };

    void outside(char c);
    void in_string(char c, std::string& into);
    void finish_escape(char c, std::string& into);
    void append_code_unit(unsigned unit, std::string& into);
    void skip(char c);

    Sink sink_;
    Place place_ = Place::start;
    std::string key_;
    std::string piece_;  ///< of the present value, not handed over yet
    int depth_ = 0;      ///< of brackets within a skipped value
    bool escaped_ = false;
    int hex_left_ = 0;
    unsigned hex_ = 0;
    unsigned high_surrogate_ = 0;
};

}  // namespace stele::runtime
