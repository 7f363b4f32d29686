#include "runtime/run_tokens.hpp"

#include "base/ids.hpp"

#include <sodium.h>

namespace stele::runtime {
namespace {

constexpr std::size_t token_bytes = 32;

std::string digest_of(std::string_view text) {
    std::string digest(crypto_generichash_BYTES, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    return digest;
}

}  // namespace

RunTokens::Token RunTokens::issue(ToolCaller caller) {
    std::string text = random_hex(token_bytes);
    const std::lock_guard lock(mutex_);
    callers_.emplace(digest_of(text), std::move(caller));
    return Token(*this, std::move(text));
}

std::optional<ToolCaller> RunTokens::find(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    const auto found = callers_.find(digest_of(text));
    return found == callers_.end() ? std::nullopt : std::optional(found->second);
}

void RunTokens::revoke(const std::string& text) {
    const std::lock_guard lock(mutex_);
    callers_.erase(digest_of(text));
}

}  // namespace stele::runtime
