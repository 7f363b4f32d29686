#pragma once

#include "tools/mcp/rpc.hpp"

namespace stele::tools::mcp {

/// The ways of speaking that servers know.
enum class Era : std::uint8_t {
    modern,  ///< 2026-07-28: every request stands alone
    legacy,  ///< 2025-03-26 to 2025-11-25 over HTTP, or any up to that over stdio: begins with `initialize`
    sse,     ///< 2024-11-05: answers come on one stream of events
};

inline constexpr char modern_version[] = "2026-07-28";
inline constexpr char newest_legacy_version[] = "2025-11-25";

/// True for a revision of the era that begins with `initialize`.
bool is_legacy_version(std::string_view version);

/// How far we are in finding out what a server speaks.
struct Negotiation {
    enum class Stage : std::uint8_t { start, probing, initializing, opening_stream, done };

    Stage stage = Stage::start;
    std::string version = newest_legacy_version;  ///< that `initialize` offers
    bool offered_again = false;                   ///< another version, after the server refused the first
    bool begun_as_sse = false;                    ///< the operator said so
};

/// How a request of the negotiation ended.
struct Heard {
    int status = 200;  ///< of HTTP; 0: no answer in time
    std::optional<boost::json::value> result;
    std::optional<RpcError> error;
};

enum class Move : std::uint8_t {
    probe,        ///< send server/discover as 2026-07-28 does
    initialize,   ///< send `initialize` with `version`
    open_stream,  ///< GET the stream of 2024-11-05
    use_modern,
    use_legacy,  ///< with the `version` that the server chose
    use_sse,
    log_in,   ///< the server wants a credential
    give_up,  ///< `why` says what it did
};

struct Decision {
    Move move = Move::give_up;
    std::string why;
};

/// The first move: from what the operator configured and what an earlier contact found out.
Decision first_move(Negotiation& negotiation, bool configured_as_sse, std::optional<Era> known);

/// The next one. HTTP: a probe that fails in any way but a modern one leads to `initialize`, and that, if the address
/// knows no such request, to the older stream; a stream that is none leads back to `initialize`.
Decision next(Negotiation& negotiation, const Heard& heard);

}  // namespace stele::tools::mcp
