#include "tools/mcp/negotiation.hpp"

#include <algorithm>
#include <array>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;
using Stage = Negotiation::Stage;

constexpr std::array<std::string_view, 4> legacy_versions = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

Decision ask(Negotiation& negotiation, Stage stage, Move move) {
    negotiation.stage = stage;
    return {move, {}};
}

Decision settle(Negotiation& negotiation, Move move, std::string why = {}) {
    negotiation.stage = Stage::done;
    return {move, std::move(why)};
}

bool lists(const json::value& versions, std::string_view version) {
    return versions.is_array() &&
           std::any_of(versions.get_array().begin(), versions.get_array().end(),
                       [&](const json::value& each) { return each.is_string() && each.get_string() == version; });
}

// The newest version that we and the server know.
std::string common_version(const json::value& versions) {
    for (const std::string_view version : legacy_versions)
        if (lists(versions, version)) return std::string(version);
    return {};
}

Decision after_probe(Negotiation& negotiation, const Heard& heard) {
    if (heard.result && heard.status == 200) {
        const json::value& versions = member(*heard.result, "supportedVersions");
        if (!versions.is_array() || lists(versions, modern_version)) return settle(negotiation, Move::use_modern);
    }
    if (heard.error && heard.error->code == unsupported_version) {
        const json::value& versions = member(heard.error->data, "supported");
        if (lists(versions, modern_version)) return settle(negotiation, Move::use_modern);
        if (const std::string version = common_version(versions); !version.empty()) negotiation.version = version;
    } else if (heard.error && is_modern_code(heard.error->code)) {
        return settle(negotiation, Move::use_modern);
    } else if (heard.error && heard.status == 404 && heard.error->code == method_not_found) {
        return settle(negotiation, Move::use_modern);  // only that revision has both
    }
    return ask(negotiation, Stage::initializing, Move::initialize);
}

Decision after_initialize(Negotiation& negotiation, const Heard& heard) {
    if (heard.result) {
        negotiation.version = text_member(*heard.result, "protocolVersion");
        if (is_legacy_version(negotiation.version)) return settle(negotiation, Move::use_legacy);
        return settle(negotiation, Move::give_up, "It speaks a version of the protocol that is not known here");
    }
    if (heard.error && is_modern_code(heard.error->code) && negotiation.version == newest_legacy_version &&
        heard.error->code != unsupported_version)
        return settle(negotiation, Move::use_modern);
    if (heard.error) {
        const std::string version = common_version(member(heard.error->data, "supported"));
        if (!version.empty() && !std::exchange(negotiation.offered_again, true)) {
            negotiation.version = version;
            return ask(negotiation, Stage::initializing, Move::initialize);
        }
        if (heard.error->code == unsupported_version && lists(member(heard.error->data, "supported"), modern_version))
            return settle(negotiation, Move::use_modern);
    }
    if (!negotiation.begun_as_sse && (heard.status == 400 || heard.status == 404 || heard.status == 405))
        return ask(negotiation, Stage::opening_stream, Move::open_stream);
    if (heard.error) return settle(negotiation, Move::give_up, "It refused to begin: " + heard.error->message);
    if (heard.status == 0) return settle(negotiation, Move::give_up, "It did not answer in time");
    return settle(negotiation, Move::give_up, "It answered with status " + std::to_string(heard.status));
}

Decision after_stream(Negotiation& negotiation, const Heard& heard) {
    if (heard.result) {
        negotiation.version = text_member(*heard.result, "protocolVersion");
        if (is_legacy_version(negotiation.version)) return settle(negotiation, Move::use_sse);
        return settle(negotiation, Move::give_up, "It speaks a version of the protocol that is not known here");
    }
    if (negotiation.begun_as_sse && heard.status >= 400 && heard.status < 500)
        return ask(negotiation, Stage::initializing, Move::initialize);
    if (heard.error) return settle(negotiation, Move::give_up, "It refused to begin: " + heard.error->message);
    return settle(
        negotiation, Move::give_up,
        heard.status == 0 ? "It did not answer in time" : "It answered with status " + std::to_string(heard.status));
}

}  // namespace

bool is_legacy_version(std::string_view version) {
    return std::find(legacy_versions.begin(), legacy_versions.end(), version) != legacy_versions.end();
}

Decision first_move(Negotiation& negotiation, bool configured_as_sse, std::optional<Era> known) {
    negotiation.begun_as_sse = configured_as_sse;
    if (known == Era::modern) return settle(negotiation, Move::use_modern);
    if (known == Era::sse || (!known && configured_as_sse))
        return ask(negotiation, Stage::opening_stream, Move::open_stream);
    if (known == Era::legacy) return ask(negotiation, Stage::initializing, Move::initialize);
    return ask(negotiation, Stage::probing, Move::probe);
}

Decision next(Negotiation& negotiation, const Heard& heard) {
    if (heard.status == 401) return settle(negotiation, Move::log_in);
    switch (negotiation.stage) {
        case Stage::probing:
            return after_probe(negotiation, heard);
        case Stage::initializing:
            return after_initialize(negotiation, heard);
        case Stage::opening_stream:
            return after_stream(negotiation, heard);
        case Stage::start:
        case Stage::done:
            break;
    }
    return settle(negotiation, Move::give_up, "The negotiation is over");
}

}  // namespace stele::tools::mcp
