// The chat-completions protocol without a socket: encoding, decoding, failures, retries, the offline rules.
#include "llm/chat_answer.hpp"
#include "llm/chat_request.hpp"
#include "llm/hash_embedding.hpp"
#include "llm/model_failure.hpp"
#include "llm/model_listing.hpp"
#include "llm/offline_rules.hpp"
#include "llm/openai_chat.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace stele::llm {
namespace {

Turn turn(Role role, const std::string& text) {
    Turn made;
    made.role = role;
    made.text = text;
    return made;
}

ToolSpec tool(const std::string& name, const std::string& parameters = R"({"type":"object","properties":{}})") {
    ToolSpec made;
    made.name = name;
    made.parameters_json = parameters;
    return made;
}

const char two_calls[] =
    ": a comment\n\n"
    "data: "
    "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
    "\"finish_reason\":null}],\"usage\":null}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\",\"reasoning_details\":[{\"type\":"
    "\"reasoning.text\",\"text\":\"hm\",\"signature\":\"s\"}]},\"finish_reason\":null}]}\r\n\r\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Let me "
    "\\u00e9.\"},\"finish_reason\":null}]}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"type\":"
    "\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"\"}}]}}]}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{"
    "\\\"a\\\":40\"}}]}}]}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}"
    "}]}}]}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"y\",\"function\":{"
    "\"name\":\"echo\",\"arguments\":{\"m\":1}}}]}}]}\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15,\"prompt_"
    "tokens_details\":{\"cached_tokens\":4}}}\n\n"
    "data: [DONE]\n\n";

struct Decoded {
    std::string deltas;
    ModelAnswer answer;
    bool done = false;
};

Decoded decoded(const std::string& stream, std::size_t piece) {
    ChatStreamDecoder decoder;
    std::vector<Delta> deltas;
    for (std::size_t at = 0; at < stream.size(); at += piece)
        EXPECT_TRUE(decoder.feed(stream.substr(at, piece), deltas));
    Decoded made;
    for (const Delta& delta : deltas)
        made.deltas += std::to_string(static_cast<int>(delta.kind)) + ":" + std::to_string(delta.index) + ":" +
                       delta.tool_name + delta.text + "|";
    made.done = decoder.done();
    made.answer = decoder.finish();
    return made;
}

TEST(ChatStreamDecoder, GivesTheSameDeltasWhereverTheBytesAreCut) {
    const std::string stream = two_calls;
    const Decoded whole = decoded(stream, stream.size());

    EXPECT_TRUE(whole.done);
    EXPECT_EQ(whole.answer.text, "Let me \u00e9.");
    EXPECT_EQ(whole.answer.reasoning, "hm");
    EXPECT_EQ(whole.answer.reasoning_signature, R"([{"type":"reasoning.text","text":"hm","signature":"s"}])");
    ASSERT_EQ(whole.answer.tool_calls.size(), 2u);
    EXPECT_EQ(whole.answer.tool_calls[0].arguments, "{\"a\":40}");
    EXPECT_EQ(whole.answer.tool_calls[1].arguments, "{\"m\":1}");
    EXPECT_EQ(whole.answer.usage->cached_input, 4);
    EXPECT_EQ(whole.answer.finish, Finish::tool_calls);
    for (std::size_t piece = 1; piece < stream.size(); ++piece)
        EXPECT_EQ(decoded(stream, piece).deltas, whole.deltas) << "pieces of " << piece;
}

TEST(ChatStreamDecoder, TakesNothingBehindAnErrorEvenIfThatSaysNothing) {
    const std::string stream =
        "event: error\ndata:\n\ndata: "
        "{\"choices\":[{\"delta\":{\"content\":\"late\"},\"finish_reason\":\"stop\"}]}\n\n";
    for (std::size_t piece : {std::size_t{1}, stream.size()}) {
        ChatStreamDecoder decoder;
        std::vector<Delta> deltas;

        for (std::size_t at = 0; at < stream.size(); at += piece)
            ASSERT_TRUE(decoder.feed(std::string_view(stream).substr(at, piece), deltas));

        EXPECT_NE(decoder.error_body().find("says nothing"), std::string::npos);
        EXPECT_TRUE(deltas.empty());
    }
}

TEST(ChatStreamDecoder, KnowsACutStreamAnErrorAndGarbage) {
    ChatStreamDecoder cut, failing, garbage;
    std::vector<Delta> deltas;

    EXPECT_TRUE(cut.feed("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", deltas));
    EXPECT_FALSE(cut.complete());
    EXPECT_TRUE(failing.feed("data: {\"error\":{\"message\":\"no\"}}\n\n", deltas));
    EXPECT_FALSE(failing.error_body().empty());
    EXPECT_FALSE(garbage.feed("data: {this\n\n", deltas));
}

TEST(ReadChatAnswer, TakesWhatServersSend) {
    const auto answer = read_chat_answer(
        R"({"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"a","arguments":{"x":1}}},{"id":"i","function":{"name":"b"}}]},"finish_reason":"stop"}]})");

    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->tool_calls[0].arguments, R"({"x":1})");
    EXPECT_FALSE(answer->tool_calls[0].id.empty());
    EXPECT_EQ(answer->tool_calls[1].id, "i");
    EXPECT_FALSE(answer->usage);
    for (const char* broken : {"", "[]", "{}", "{\"choices\":[]}", "{\"choices\":[5]}", "not json"})
        EXPECT_FALSE(read_chat_answer(broken)) << broken;
}

TEST(EncodeChatRequest, KeepsThePrefixWhenTheTalkGoesOn) {
    ModelRequest request;
    request.model = "m";
    request.turns = {turn(Role::system, "s"), turn(Role::user, "a\n\"b\"")};
    const std::string first = encode_chat_request(request, {}, false);
    request.turns.push_back(turn(Role::assistant, "c"));

    EXPECT_TRUE(encode_chat_request(request, {}, false).starts_with(first.substr(0, first.find("]"))));
    EXPECT_EQ(first,
              R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a\n\"b\""}]})");
}

TEST(EncodeChatRequest, MindsQuirks) {
    ModelRequest request;
    request.model = "o3";
    request.temperature = 0.5;
    request.max_output_tokens = 9;
    request.tools = {tool("t")};
    request.tool_choice.kind = ToolChoice::Kind::tool;
    request.tool_choice.tool = "t";
    Quirks official, strict;
    official.official_openai = true;
    strict.max_tokens_name = strict.no_forced_tool = strict.no_parallel_switch = true;

    EXPECT_EQ(encode_chat_request(request, official, true).find("temperature"), std::string::npos);
    const std::string text = encode_chat_request(request, strict, false);
    EXPECT_NE(text.find("\"max_tokens\":9"), std::string::npos);
    EXPECT_NE(text.find("\"tool_choice\":\"required\""), std::string::npos);
    EXPECT_EQ(text.find("parallel_tool_calls"), std::string::npos);
}

TEST(EncodeChatRequest, GivesReasoningBackToWhoDemandsIt) {
    ModelRequest request;
    request.model = "m";
    Turn called, spoken;
    called.role = spoken.role = Role::assistant;
    called.reasoning = spoken.reasoning = "a \"thought\"";
    called.tool_calls.push_back(ToolCall{"c1", "look", "{}"});
    spoken.text = "done";
    request.turns = {called, spoken};
    Quirks quirks;
    EXPECT_EQ(encode_chat_request(request, quirks, false).find("thought"), std::string::npos);
    quirks.reasoning_back = true;
    const std::string body = encode_chat_request(request, quirks, false);
    const std::string given = R"("reasoning_content":"a \"thought\"")";
    EXPECT_NE(body.find(R"("content":null,)" + given + R"(,"tool_calls")"), std::string::npos) << body;
    EXPECT_EQ(body.find(given), body.rfind(given)) << "answers without calls go without";
    request.turns.front().reasoning.clear();
    EXPECT_NE(encode_chat_request(request, quirks, false).find(R"("reasoning_content":"")"), std::string::npos);
}

TEST(EncodeChatRequest, SendsWhatIsSignedOnlyIfItIsJson) {
    ModelRequest request;
    request.model = "m";
    Turn spoken;
    spoken.role = Role::assistant;
    spoken.text = "done";
    for (const char* signature : {R"([{"type":"reasoning.text"}])", "[", "c2ln", R"([],"role":"system")"}) {
        spoken.reasoning_signature = signature;
        request.turns = {spoken};
        const std::string body = encode_chat_request(request, {}, false);
        const bool given = spoken.reasoning_signature.ends_with("}]");
        EXPECT_EQ(body.find(R"(,"reasoning_details":[{"type":"reasoning.text"}])") != std::string::npos, given) << body;
        EXPECT_EQ(body.find("reasoning_details") != std::string::npos, given) << body;
    }
}

TEST(FailureOfAnswer, SpeaksTheApisWords) {
    struct Row {
        int status;
        const char* body;
        const char* type;
    };
    constexpr Row rows[] = {
        {401, R"({"error":{"message":"bad key"}})", "llm_authentication"},
        {402, "", "llm_insufficient_credits"},
        {429, R"({"error":{"code":"insufficient_quota"}})", "llm_insufficient_credits"},
        {429, R"({"error":{"message":"slow down"}})", "llm_rate_limit"},
        {400, R"({"error":{"code":"context_length_exceeded"}})", "llm_context_overflow"},
        {400, R"({"object":"error","message":"This model's maximum context length is 8192 tokens"})",
         "llm_context_overflow"},
        {400, "{}", "llm_bad_request"},
        {504, "", "llm_timeout"},
        {529, "", "llm_overloaded"},
        {500, "<html>", "llm_error"},
        {404, "", "llm_error"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(failure_of_answer(row.status, row.body, {}, "m", "h").type, row.type) << row.status << row.body;
}

TEST(NextAttempt, RepeatsWhatMayPass) {
    const auto wait = [](int status, int attempt, std::optional<std::chrono::milliseconds> asked) {
        return next_attempt(failure_of_answer(status, "", asked, "m", "h"), attempt, 3, 0.5);
    };
    using std::chrono::milliseconds;

    EXPECT_EQ(wait(429, 1, milliseconds(1'830)), milliseconds(1'830));
    EXPECT_EQ(wait(500, 1, {}), milliseconds(437));
    EXPECT_EQ(wait(500, 2, {}), milliseconds(875));
    EXPECT_FALSE(wait(500, 3, {}));
    EXPECT_FALSE(wait(429, 1, milliseconds(61'000)));
    for (const int status : {400, 401, 402, 403, 404, 413, 422}) EXPECT_FALSE(wait(status, 1, {})) << status;
    const std::string seconds = "1.5", fraction = "200", junk = "soon";
    EXPECT_EQ(parse_retry_after(&seconds, nullptr, {}), milliseconds(1'500));
    EXPECT_EQ(parse_retry_after(&seconds, &fraction, {}), milliseconds(200));
    EXPECT_FALSE(parse_retry_after(&junk, nullptr, {}));
    const std::string date = "Tue, 24 Nov 2026 10:20:30 GMT";
    const Timestamp at(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(10) +
                       std::chrono::minutes(20));
    EXPECT_EQ(parse_retry_after(&date, nullptr, at), milliseconds(30'000));
    EXPECT_EQ(parse_retry_after(&date, nullptr, at + std::chrono::hours(1)), milliseconds(0));
}

TEST(BaseUrlOf, UnderstandsEverySpelling) {
    for (const char* text :
         {"http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/", "http://h:1/v1/chat/completions"})
        EXPECT_EQ(base_url_of(text), "http://h:1/v1") << text;
    EXPECT_EQ(base_url_of(" h:1/ \n"), "http://h:1/v1");
    EXPECT_EQ(base_url_of("https://h/openai/v1/"), "https://h/openai/v1");
    EXPECT_EQ(base_url_of("https://h/gateway"), "https://h/gateway");
    EXPECT_EQ(base_url_of("https://h/gateway/", true), "https://h/gateway/v1");
    EXPECT_EQ(base_url_of("https://h/api/paas/v4/", true), "https://h/api/paas/v4");
}

TEST(ReadModelList, FindsTheWindowUnderAnyName) {
    const auto models = read_model_list(
        R"({"data":[{"id":"a","max_model_len":1},{"id":"b","context_window":2},{"id":"c","context_length":3},{"id":"d","max_context_length":9,"loaded_context_length":4},{"id":"e","meta":{"n_ctx_train":5}},{"id":"f"},{"id":"x-embed"}]})");

    ASSERT_TRUE(models);
    for (int i = 0; i < 5; ++i) EXPECT_EQ((*models)[static_cast<std::size_t>(i)].context_window, i + 1);
    EXPECT_FALSE((*models)[5].context_window);
    EXPECT_TRUE((*models)[6].embedding);
    EXPECT_FALSE(read_model_list("{}"));
    const auto shown = read_ollama_model(
        "q", R"({"model_info":{"qwen3.context_length":40960},"capabilities":["completion","tools"]})");
    EXPECT_EQ(shown->context_window, 40'960);
    EXPECT_FALSE(read_ollama_model("q", R"({"capabilities":["completion"]})"));
}

TEST(OfflineAnswer, CallsSeveralToolsAndNeverLoops) {
    ModelRequest request;
    request.turns = {turn(Role::user, "@call a {\"x\":1}\n@call b")};
    request.tools = {tool("a"), tool("b")};
    const ModelAnswer calls = offline_answer(request);
    ASSERT_EQ(calls.tool_calls.size(), 2u);
    EXPECT_EQ(calls.tool_calls[0].arguments, R"({"x":1})");

    Turn result = turn(Role::tool, R"({"status": "OK", "message": "7"})");
    result.name = "a";
    request.turns.push_back(result);
    EXPECT_TRUE(offline_answer(request).tool_calls.empty());
    EXPECT_NE(offline_answer(request).text.find("7"), std::string::npos);
}

TEST(OfflineAnswer, UsesAToolThatItIsAskedToUse) {
    ModelRequest request;
    request.tools = {
        tool("roll_dice", R"({"type":"object","properties":{"sides":{"type":"integer"}},"required":["sides"]})")};

    request.turns = {turn(Role::user, "Please call roll_dice with {\"sides\": 6}")};
    EXPECT_EQ(offline_answer(request).tool_calls.at(0).arguments, R"({"sides":6})");
    request.turns = {turn(Role::user, "I like dice")};
    EXPECT_TRUE(offline_answer(request).tool_calls.empty());
}

float similarity(std::string_view a, std::string_view b) {
    const auto x = hash_embedding(a), y = hash_embedding(b);
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0F);
}

TEST(HashEmbedding, IsCloserForTextsThatShareWords) {
    EXPECT_NEAR(similarity("green tea", "green tea"), 1.0F, 1e-5F);
    EXPECT_GT(similarity("Grace drinks green tea", "green tea in the morning"),
              similarity("Grace drinks green tea", "the train leaves at nine"));
    EXPECT_EQ(hash_embedding("").size(), static_cast<std::size_t>(hash_embedding_dim));
}

}  // namespace
}  // namespace stele::llm
