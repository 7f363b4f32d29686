#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stele::runtime {

/// What a call of a tool came from.
struct CallOrigin {
    std::string waiting;  ///< lease of the conversation that goes on when the call has ended; empty: none does
    int depth = 0;        ///< so many calls of tools led to it, each from within the one before
};

/// Whom a request speaks for that comes from within a call of a tool.
struct ToolCaller {
    std::string organization_id;
    std::string user_id;
    std::string agent_id;  ///< empty: nobody in particular
    CallOrigin origin;
};

/// The tokens with which tools speak to this server: 256 random bits, each valid as long as the call that it was made
/// for. They exist in memory alone. Thread-safe.
class RunTokens {
public:
    /// One token, until destruction.
    class Token {
    public:
        Token(RunTokens& tokens, std::string text) : tokens_(&tokens), text_(std::move(text)) {}
        Token(Token&& other) noexcept : tokens_(std::exchange(other.tokens_, nullptr)), text_(std::move(other.text_)) {}
        Token& operator=(Token&&) = delete;
        ~Token() {
            if (tokens_ != nullptr) tokens_->revoke(text_);
        }

        /// In hexadecimal; for the frame that carries it into the sandbox.
        const std::string& text() const { return text_; }

    private:
        RunTokens* tokens_;
        std::string text_;
    };

    Token issue(ToolCaller caller);

    /// Whose token `text` is; nothing if it is none, or no longer.
    std::optional<ToolCaller> find(std::string_view text) const;

private:
    void revoke(const std::string& text);

    mutable std::mutex mutex_;
    std::map<std::string, ToolCaller> callers_;  ///< by digest: how long a look-up takes tells nothing of the tokens
};

}  // namespace stele::runtime
