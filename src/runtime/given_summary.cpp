#include "runtime/given_summary.hpp"

#include "runtime/transcript.hpp"

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::size_t transcript_bytes_max = 1u << 20;
constexpr std::size_t extract_characters_max = 6'000;

std::vector<Message> messages_of(const SummarizeRequest& request) {
    std::vector<Message> made;
    for (const GivenMessage& given : request.messages) {
        Message& message = made.emplace_back();
        message.role = given.role == "assistant" ? MessageRole::assistant
                       : given.role == "system"  ? MessageRole::system
                                                 : MessageRole::user;
        message.content.push_back(text_part(given.content));
    }
    return made;
}

llm::Turn turn(llm::Role role, std::string text) {
    llm::Turn made;
    made.role = role;
    made.text = std::move(text);
    return made;
}

Error provider_failure(const std::string& why) {
    Error failure(ErrorCode::model_failed, why);
    failure.type = "llm_error";
    failure.final = true;
    return failure;
}

}  // namespace

awaitable<GivenSummary> summarize_given(llm::Catalogue& catalogue, std::string organization_id, std::string user_id,
                                        std::string handle, SummarizeRequest request) {
    const auto model = co_await catalogue.resolve(std::move(organization_id), handle);
    if (!model)
        throw Error(ErrorCode::not_found,
                    "The model '" + handle + "' is not available: GET /v1/models lists what is there");
    const std::vector<Message> messages = messages_of(request);
    GivenSummary made;
    if (!model->provider->can_summarise()) {
        made.summary = extractive_summary(messages, extract_characters_max);
        co_return made;
    }
    TranscriptOptions options;
    options.bytes_max = transcript_bytes_max;
    llm::ModelRequest wanted;
    wanted.model = model->model;
    wanted.user = std::move(user_id);
    wanted.turns.push_back(turn(llm::Role::system, request.prompt));
    wanted.turns.push_back(turn(llm::Role::user, transcript(messages, options)));
    llm::ModelAnswer answer;
    try {
        answer = co_await model->provider->complete(std::move(wanted), nullptr);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        throw provider_failure(error.what());
    }
    if (answer.text.find_first_not_of(" \t\r\n") == std::string::npos) throw provider_failure("The model said nothing");
    made.summary = std::move(answer.text);
    co_return made;
}

}  // namespace stele::runtime
