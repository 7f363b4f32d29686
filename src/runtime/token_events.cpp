#include "runtime/token_events.hpp"
#include "base/contains.hpp"

#include <algorithm>

namespace stele::runtime {
void TokenEvents::on_delta(const llm::Delta& delta) {
    if (!first_at_) first_at_ = std::chrono::steady_clock::now();
    switch (delta.kind) {
        case llm::Delta::Kind::reasoning:
            reasoning(delta.text, Part::reasoning);
            break;
        case llm::Delta::Kind::text:
            if (options_.speaks_in_text)
                text(delta.text);
            else
                reasoning(delta.text, Part::remark);
            break;
        case llm::Delta::Kind::tool_call:
            begin_call(delta);
            break;
        case llm::Delta::Kind::tool_arguments:
            more_arguments(delta);
            break;
    }
}

void TokenEvents::begin_call(const llm::Delta& delta) {
    call_index_ = delta.index;
    if (call_index_ > 0 && !options_.parallel_calls) return;
    call_id_ = delta.tool_call_id;
    const bool waits = contains(options_.waiting_tools, delta.tool_name);
    if (waits) waiting_calls_.push_back(call_id_);
    speech_ = options_.view.use_assistant_message && !options_.speaks_in_text && !waits &&
              delta.tool_name == options_.view.assistant_message_tool_name;
    if (options_.speaks_in_text) {
        call_name(call_id_, delta.tool_name, waits);
        return;
    }
    arguments_ = std::make_unique<ArgumentStream>([this](const std::string& name, std::string_view piece) {
        if (options_.inner_thoughts && name == "thinking")
            reasoning(piece, Part::thinking);
        else if (speech_ && name == options_.view.assistant_message_tool_kwarg)
            text(piece);
    });
}

void TokenEvents::more_arguments(const llm::Delta& delta) {
    if (delta.index > 0 && !options_.parallel_calls) return;
    const std::string& id = delta.tool_call_id.empty() ? call_id_ : delta.tool_call_id;
    if (options_.speaks_in_text)
        call_arguments(id, delta.text, contains(waiting_calls_, id));
    else if (arguments_)
        arguments_->feed(delta.text);
}

void TokenEvents::finish(const std::vector<MessageToolCall>& calls, bool waits) {
    for (const MessageToolCall& call : calls) {
        if (options_.speaks_in_text && (waits || !contains(waiting_calls_, call.id))) continue;
        const bool speech =
            options_.view.use_assistant_message && call.name == options_.view.assistant_message_tool_name;
        if (speech && !waits && !options_.speaks_in_text) continue;
        call_name(call.id, call.name, waits);
        call_arguments(call.id, call.arguments, waits);
    }
}

void TokenEvents::text(std::string_view piece) {
    if (piece.empty()) return;
    enter(Part::text);
    if (!shape_) {
        ContentMessage view;
        view.content.parts.push_back(text_part(std::string()));
        take_shape(std::move(view), "assistant_message");
    }
    show(std::string(piece));
}

void TokenEvents::reasoning(std::string_view piece, Part part) {
    if (piece.empty()) return;
    enter(part);
    if (!shape_) {
        ReasoningMessage view;
        view.source = part == Part::reasoning ? "reasoner_model" : "non_reasoner_model";
        take_shape(std::move(view), "reasoning_message");
    }
    show(std::string(piece));
}

void TokenEvents::call_name(const std::string& id, std::string name, bool waits) {
    ToolCallDeltaMessage view;
    view.tool_call.tool_call_id = id;
    view.tool_call.name = std::move(name);
    view.tool_calls = view.tool_call;
    if (waits) return show_request(std::move(view));
    enter(Part::call);
    take_shape(std::move(view), "tool_call_message");
    show(std::nullopt);
    shape_.reset();  // the arguments that follow come without it
}

void TokenEvents::call_arguments(const std::string& id, std::string arguments, bool waits) {
    if (!waits) enter(Part::call);
    if (!waits && shape_ && id == arguments_of_) return show(std::move(arguments));
    ToolCallDeltaMessage view;
    view.tool_call.tool_call_id = id;
    view.tool_call.arguments = waits ? std::move(arguments) : std::string();
    view.tool_calls = view.tool_call;
    if (waits) return show_request(std::move(view));
    arguments_of_ = id;
    take_shape(std::move(view), "tool_call_message");
    show(std::move(arguments));
}

// A request for approval is a message of its own, whose otid is its id.
void TokenEvents::show_request(ToolCallDeltaMessage view) {
    constexpr char type[] = "approval_request_message";
    shown_ = true;
    if (!included(type)) return;
    static_cast<MessageHead&>(view) = message_head(message_, type);
    view.id = options_.approval_id;
    view.otid = options_.approval_id;
    log_.append(std::move(view));
}

bool TokenEvents::included(std::string_view type) const {
    const auto* types = options_.view.include_types;
    return types == nullptr || contains(*types, type);
}

// The otid counts the parts of the message; all its calls are one part, as in the stored form.
void TokenEvents::enter(Part part) {
    if (part_ != part) shape_.reset();
    if (part_ != Part::none && part_ != part) ++part_index_;
    part_ = part;
}

// What the pieces that follow have in common; nothing where the client does not want them.
template <class M>
void TokenEvents::take_shape(M view, const char* type) {
    shape_.reset();
    if (!included(type)) return;
    static_cast<MessageHead&>(view) = message_head(message_, type);
    view.otid = part_otid(message_.id, part_index_);
    shape_ = std::make_shared<const LettaMessage>(std::move(view));
}

void TokenEvents::show(std::optional<std::string> piece) {
    shown_ = true;
    if (shape_) log_.append(RunEvent(shape_, std::move(piece)));
}

}  // namespace stele::runtime
