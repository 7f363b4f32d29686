#include "tools/mcp/negotiation.hpp"

#include <gtest/gtest.h>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

Heard result(json::value value) {
    Heard heard;
    heard.result = std::move(value);
    return heard;
}

Heard refusal(int status, std::int64_t code, json::value data = nullptr) {
    Heard heard;
    heard.status = status;
    heard.error = RpcError{code, "no", std::move(data)};
    return heard;
}

Heard status(int number) {
    Heard heard;
    heard.status = number;
    return heard;
}

json::value supported(const char* version) { return json::object{{"supported", json::array{version}}}; }
json::value chosen(const char* version) { return json::object{{"protocolVersion", version}}; }

struct Case {
    const char* what;
    bool sse;
    std::vector<Heard> heard;
    std::vector<Move> moves;  ///< the first, and the one after each that was heard
};

TEST(Negotiation, FindsOutWhatAServerSpeaks) {
    const json::value discovered = json::object{{"supportedVersions", json::array{"2026-07-28"}}};
    const json::value older = json::object{{"supportedVersions", json::array{"2025-11-25"}}};
    const std::vector<Case> cases = {
        {"modern", false, {result(discovered)}, {Move::probe, Move::use_modern}},
        {"headers differ: only modern servers look",
         false,
         {refusal(400, header_mismatch)},
         {Move::probe, Move::use_modern}},
        {"modern without discovery", false, {refusal(404, method_not_found)}, {Move::probe, Move::use_modern}},
        {"another modern version",
         false,
         {refusal(400, unsupported_version, supported("2099-01-01"))},
         {Move::probe, Move::initialize}},
        {"discovers that it is legacy",
         false,
         {result(older), result(chosen("2025-11-25"))},
         {Move::probe, Move::initialize, Move::use_legacy}},
        {"legacy",
         false,
         {status(400), result(chosen("2025-06-18"))},
         {Move::probe, Move::initialize, Move::use_legacy}},
        {"legacy that does not know the question",
         false,
         {refusal(200, method_not_found), result(chosen("2025-03-26"))},
         {Move::probe, Move::initialize, Move::use_legacy}},
        {"legacy that never answers the question",
         false,
         {status(0), result(chosen("2025-03-26"))},
         {Move::probe, Move::initialize, Move::use_legacy}},
        {"a version of tomorrow",
         false,
         {status(400), result(chosen("2031-01-01"))},
         {Move::probe, Move::initialize, Move::give_up}},
        {"wants an older one",
         false,
         {status(400), refusal(200, invalid_params, supported("2025-03-26")), result(chosen("2025-03-26"))},
         {Move::probe, Move::initialize, Move::initialize, Move::use_legacy}},
        {"wants an older one for ever",
         false,
         {status(400), refusal(200, invalid_params, supported("2025-03-26")),
          refusal(200, invalid_params, supported("2025-03-26"))},
         {Move::probe, Move::initialize, Move::initialize, Move::give_up}},
        {"an older stream",
         false,
         {status(405), status(405), result(chosen("2024-11-05"))},
         {Move::probe, Move::initialize, Move::open_stream, Move::use_sse}},
        {"nothing at all there",
         false,
         {status(404), status(404), status(404)},
         {Move::probe, Move::initialize, Move::open_stream, Move::give_up}},
        {"broken", false, {status(500), status(500)}, {Move::probe, Move::initialize, Move::give_up}},
        {"silent", false, {status(0), status(0)}, {Move::probe, Move::initialize, Move::give_up}},
        {"wants a login", false, {status(401)}, {Move::probe, Move::log_in}},
        {"wants a login later", false, {status(400), status(401)}, {Move::probe, Move::initialize, Move::log_in}},
        {"sse", true, {result(chosen("2024-11-05"))}, {Move::open_stream, Move::use_sse}},
        {"sse that is no stream",
         true,
         {status(405), result(chosen("2025-06-18"))},
         {Move::open_stream, Move::initialize, Move::use_legacy}},
        {"sse that is nothing", true, {status(404), status(404)}, {Move::open_stream, Move::initialize, Move::give_up}},
    };

    for (const Case& each : cases) {
        Negotiation negotiation;
        std::vector<Move> moves{first_move(negotiation, each.sse, std::nullopt).move};
        for (const Heard& heard : each.heard) moves.push_back(next(negotiation, heard).move);
        EXPECT_EQ(moves, each.moves) << each.what;
    }
}

TEST(Negotiation, AlwaysEnds) {
    // Every sequence of three answers, and then the last one for ever.
    const std::vector<Heard> answers = {status(0),
                                        status(200),
                                        status(400),
                                        status(404),
                                        status(405),
                                        status(500),
                                        status(401),
                                        refusal(400, unsupported_version, supported("2025-11-25")),
                                        refusal(200, invalid_params, supported("2025-06-18")),
                                        result(json::object())};
    for (const bool sse : {false, true})
        for (const Heard& a : answers)
            for (const Heard& b : answers)
                for (const Heard& c : answers) {
                    Negotiation negotiation;
                    first_move(negotiation, sse, std::nullopt);
                    int steps = 0;
                    for (const Heard* heard : {&a, &b, &c, &c, &c, &c, &c})
                        if (negotiation.stage != Negotiation::Stage::done) {
                            next(negotiation, *heard);
                            ++steps;
                        }
                    EXPECT_EQ(negotiation.stage, Negotiation::Stage::done);
                    EXPECT_LE(steps, 5);
                }
}

TEST(Negotiation, GoesStraightToWhatIsKnown) {
    Negotiation negotiation;
    EXPECT_EQ(first_move(negotiation, false, Era::modern).move, Move::use_modern);
    EXPECT_EQ(first_move(negotiation, false, Era::legacy).move, Move::initialize);
    EXPECT_EQ(first_move(negotiation, false, Era::sse).move, Move::open_stream);
    EXPECT_EQ(first_move(negotiation, true, Era::legacy).move, Move::initialize);
}

}  // namespace
}  // namespace stele::tools::mcp
