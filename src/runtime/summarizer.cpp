#include "runtime/summarizer.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "runtime/compaction_plan.hpp"
#include "runtime/transcript.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t bytes_per_token = 3;    // below every tokenizer we know, for texts of any language but few
constexpr std::int64_t answer_tokens = 2'000;  // room that the transcript leaves for the summary
constexpr std::int64_t unknown_window = 8'000;
constexpr std::size_t transcript_bytes_min = 4'000;
constexpr std::size_t return_characters_max = 5'000;
constexpr std::size_t extract_characters_max = 6'000;
constexpr int shortenings_max = 3;
constexpr char cut_mark[] = "... [the summary was cut here]";

struct Writer {
    llm::ResolvedModel model;
    std::string handle;
};

std::string prompt_of(const CompactionSettings& settings) {
    return settings.prompt && !settings.prompt->empty() ? *settings.prompt : default_compaction_prompt(settings.mode);
}

std::size_t transcript_bytes(const llm::ResolvedModel& model) {
    const std::int64_t window = model.info().context_window > 0 ? model.info().context_window : unknown_window;
    return std::max(transcript_bytes_min, static_cast<std::size_t>(std::max<std::int64_t>(0, window - answer_tokens)) *
                                              static_cast<std::size_t>(bytes_per_token));
}

llm::Turn turn(llm::Role role, std::string text) {
    llm::Turn made;
    made.role = role;
    made.text = std::move(text);
    return made;
}

// The summary by somebody who has not seen the conversation: prompt and transcript.
llm::ModelRequest request_of(const SummaryTask& task, const Writer& writer, std::size_t bytes_max, bool clip_returns) {
    TranscriptOptions options;
    options.bytes_max = bytes_max;
    if (clip_returns) options.return_characters_max = return_characters_max;
    llm::ModelRequest request;
    request.model = writer.model.model;
    request.user = task.user_id;
    request.turns.push_back(turn(llm::Role::system, prompt_of(task.settings)));
    request.turns.push_back(turn(llm::Role::user, transcript(std::span(task.context).subspan(1), options)));
    return request;
}

// The summary by the agent itself, behind the conversation as the model knows it: its prefix is in the provider's
// cache.
llm::ModelRequest own_request(const SummaryTask& task, const Writer& writer) {
    llm::ModelRequest request;
    request.model = writer.model.model;
    request.user = task.user_id;
    request.turns = make_turns(task.context, task.turns);
    request.turns.push_back(turn(llm::Role::user, prompt_of(task.settings)));
    return request;
}

std::string clipped(std::string text, const std::optional<std::int64_t>& characters_max) {
    if (!characters_max) return text;
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(1, *characters_max));
    const std::string_view kept = first_code_points(text, limit);
    if (kept.size() == text.size()) return text;
    return std::string(kept) + cut_mark;
}

class Attempts {
public:
    explicit Attempts(SummaryTask task) : task_(std::move(task)) {}

    awaitable<std::optional<Summary>> by(Writer writer) {
        std::optional<std::string> text;
        if (compacts_itself(task_.settings)) text = co_await ask(writer, own_request(task_, writer));
        std::size_t bytes = transcript_bytes(writer.model);
        for (int shortened = 0; !text && shortened <= shortenings_max; ++shortened, bytes /= 2) {
            overflowed_ = false;
            text = co_await ask(writer, request_of(task_, writer, bytes, shortened > 0));
            if (!overflowed_) break;
        }
        if (!text) co_return std::nullopt;
        Summary summary;
        summary.text = clipped(std::move(*text), task_.settings.clip_chars);
        summary.written_by = writer.handle;
        summary.failures = failures_;
        co_return summary;
    }

    Summary extracted() {
        Summary summary;
        summary.text = extractive_summary(std::span(task_.context).subspan(1), extract_characters_max);
        if (summary.text.empty()) summary.text = "Nothing was said.";
        summary.text = clipped(std::move(summary.text), task_.settings.clip_chars);
        summary.written_by = "extract";
        summary.failures = failures_;
        return summary;
    }

    void failed(const std::string& handle, const std::string& why) { failures_.push_back(handle + ": " + why); }

private:
    awaitable<std::optional<std::string>> ask(const Writer& writer, llm::ModelRequest request) {
        llm::ModelAnswer answer;
        std::optional<Error> failure;
        try {
            answer = co_await writer.model.provider->complete(std::move(request), nullptr);
        } catch (const Error& error) {
            if (error.code == ErrorCode::cancelled) throw;
            failure = error;
        }
        if (failure) {
            overflowed_ = failure->type == "llm_context_overflow";
            failed(writer.handle, failure->type);  // its text may quote the conversation, and this goes to the log
            co_return std::nullopt;
        }
        if (answer.finish == llm::Finish::content_filter ||
            answer.text.find_first_not_of(" \t\r\n") == std::string::npos) {
            failed(writer.handle, "it said nothing");
            co_return std::nullopt;
        }
        co_return std::move(answer.text);
    }

    SummaryTask task_;
    bool overflowed_ = false;
    std::vector<std::string> failures_;
};

}  // namespace

awaitable<Summary> summarize(llm::Catalogue& catalogue, SummaryTask task) {
    std::vector<Writer> writers;
    std::optional<std::string> missing;
    const bool itself = compacts_itself(task.settings);
    if (!itself && task.settings.model && *task.settings.model != task.own_handle) {
        auto chosen = co_await catalogue.resolve(task.organization_id, *task.settings.model);
        if (chosen)
            writers.push_back(Writer{std::move(*chosen), *task.settings.model});
        else
            missing = *task.settings.model;
    }
    writers.push_back(Writer{task.own_model, task.own_handle});

    Attempts attempts(std::move(task));
    if (missing) attempts.failed(*missing, "no configured provider offers it");
    for (Writer& writer : writers) {
        if (!writer.model.provider->can_summarise()) continue;
        auto summary = co_await attempts.by(std::move(writer));
        if (summary) co_return std::move(*summary);
    }
    co_return attempts.extracted();
}

}  // namespace stele::runtime
