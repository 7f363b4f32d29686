#include "runtime/run_event.hpp"

#include "domain/json.hpp"

namespace stele::runtime {
namespace {

struct FillIn {
    const std::string& piece;

    void operator()(ContentMessage& message) const { message.content.parts.back().text = piece; }
    void operator()(ReasoningMessage& message) const { message.reasoning = piece; }
    void operator()(ToolCallDeltaMessage& message) const {
        message.tool_call.arguments = piece;
        message.tool_calls.arguments = piece;
    }
    void operator()(const auto&) const { STELE_ASSERT(!"messages of this kind come whole"); }
};

}  // namespace

LettaMessage RunEvent::message() const {
    LettaMessage message = *shape_;
    if (piece_) std::visit(FillIn{*piece_}, message);
    return message;
}

void EventEncoder::encode(const RunEvent& event, std::optional<std::int64_t> seq_id, std::string& out) {
    if (!event.piece_ && !seq_id) return stele::encode(*event.shape_, out);
    if (shape_ != event.shape_) {
        copy_ = *event.shape_;
        shape_ = event.shape_;
    }
    if (event.piece_) std::visit(FillIn{*event.piece_}, copy_);
    head_of(copy_).seq_id = seq_id;
    stele::encode(copy_, out);
}

}  // namespace stele::runtime
