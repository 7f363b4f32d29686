#include "runtime/run_event.hpp"

#include "base/json_text.hpp"
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

// Nothing but a piece can hold the mark: ids, names and sources have no control characters.
void EventEncoder::take_frame(std::shared_ptr<const LettaMessage> shape) {
    static const std::string mark = "\x1e piece \x1f";
    static const std::string encoded_mark = json_string(mark);
    LettaMessage marked = *shape;
    std::visit(FillIn{mark}, marked);
    std::string json;
    stele::encode(marked, json);
    frame_.clear();
    std::size_t begin = 0;
    for (std::size_t at; (at = json.find(encoded_mark, begin)) != std::string::npos; begin = at + encoded_mark.size())
        frame_.push_back(json.substr(begin, at - begin));
    frame_.push_back(json.substr(begin));
    framed_ = std::move(shape);
}

void EventEncoder::encode(const RunEvent& event, std::optional<std::int64_t> seq_id, std::string& out) {
    if (!event.piece_ && !seq_id) return stele::encode(*event.shape_, out);
    if (!seq_id) {
        if (framed_ != event.shape_) take_frame(event.shape_);
        for (std::size_t i = 0; i < frame_.size(); ++i) {
            if (i > 0) append_json_string(out, *event.piece_);
            out += frame_[i];
        }
        return;
    }
    if (shape_ != event.shape_) {
        copy_ = *event.shape_;
        shape_ = event.shape_;
    }
    if (event.piece_) std::visit(FillIn{*event.piece_}, copy_);
    head_of(copy_).seq_id = seq_id;
    stele::encode(copy_, out);
}

}  // namespace stele::runtime
