#pragma once

#include "domain/message_view.hpp"
#include "llm/provider.hpp"
#include "runtime/argument_stream.hpp"
#include "runtime/run_log.hpp"

#include <memory>

namespace stele::runtime {

/// Turns the pieces of an answer into the API's message fragments as they arrive: those of one part share id, otid and
/// message_type, by which clients put them together. Lives for one model call. One thread: the run's.
class TokenEvents final : public llm::DeltaSink {
public:
    struct Options {
        bool speaks_in_text = true;   ///< else the text of a call of `speaking tool` is what is said
        bool parallel_calls = false;  ///< else only the first call of the answer shows
        bool inner_thoughts = false;  ///< the argument `thinking` shows as reasoning
        ViewOptions view;
        std::vector<std::string> waiting_tools;  ///< their calls show as a request for approval ...
        std::string approval_id;                 ///< ... with this message id
    };

    /// `head`: id, date, step and run of the message that will be stored. References outlive the call.
    TokenEvents(RunLog& log, const Message& message, Options options)
        : log_(log), message_(message), options_(std::move(options)) {}

    void on_delta(const llm::Delta& delta) override;

    /// True once anything was shown.
    bool shown() const { return shown_; }

    /// When the first piece came, if one did.
    std::optional<std::chrono::steady_clock::time_point> first_at() const { return first_at_; }

    /// Shows the calls that could not be shown while they were written, or showed as a request for approval and are
    /// none (their arguments turned out to be no JSON), in the form in which they are stored. `waits`: they are those
    /// of a request for approval.
    void finish(const std::vector<MessageToolCall>& calls, bool waits);

private:
    // A remark is text beside the call of an agent that speaks by tool, thinking an argument of the call: to the client
    // both are reasoning, but each is a part of its own.
    enum class Part : std::uint8_t { none, reasoning, remark, thinking, text, call };

    void text(std::string_view piece);
    void reasoning(std::string_view piece, Part part);
    void begin_call(const llm::Delta& delta);
    void more_arguments(const llm::Delta& delta);
    void call_name(const std::string& id, std::string name, bool waits);
    void call_arguments(const std::string& id, std::string arguments, bool waits);
    void show_request(ToolCallDeltaMessage view);
    bool included(std::string_view type) const;
    void enter(Part part);
    template <class M>
    void take_shape(M view, const char* type);
    void show(std::optional<std::string> piece);

    RunLog& log_;
    const Message& message_;
    Options options_;
    Part part_ = Part::none;
    std::size_t part_index_ = 0;
    std::size_t call_index_ = 0;
    std::string call_id_;
    std::vector<std::string> waiting_calls_;     ///< ids
    std::string arguments_of_;                   ///< the call whose arguments `shape_` is for
    std::shared_ptr<const LettaMessage> shape_;  ///< of the pieces of the present part
    bool speech_ = false;                        ///< the present call is one of the speaking tool
    std::unique_ptr<ArgumentStream> arguments_;
    bool shown_ = false;
    std::optional<std::chrono::steady_clock::time_point> first_at_;
};

}  // namespace stele::runtime
