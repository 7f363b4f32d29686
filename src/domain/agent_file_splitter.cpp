#include "domain/agent_file_splitter.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "domain/json_builder.hpp"

#include <algorithm>
#include <optional>

namespace stele {
namespace {

namespace json = boost::json;

// What values cost besides their texts, which are counted twice: as they are read and as what is made of them.
constexpr std::size_t object_cost = 256, array_cost = 64, scalar_cost = 32;
constexpr std::size_t part_cost_max = 128u << 20, rest_cost_max = 128u << 20;
constexpr std::size_t shown_tail_bytes = 16;  // enough to see a lone surrogate escape

Error corrupted(const std::string& why) { return refused("Corrupted agent file format: " + why); }

/// A file within a string, as clients of old send it.
class InnerFile {
public:
    virtual ~InnerFile() = default;
    virtual void feed(std::string_view bytes) = 0;
    virtual json::value finish() = 0;
};

std::unique_ptr<InnerFile> inner_file(AgentFileSplitter::OnPart on_part);

class Handler {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);
    using Failure = json::error_code;
    using Text = json::string_view;

    void begin(AgentFileSplitter::OnPart on_part, bool within_string) {
        on_part_ = std::move(on_part);
        within_string_ = within_string;
        rest_.stack.reset();
    }

    bool on_document_begin(Failure&) { return true; }
    bool on_document_end(Failure&) { return true; }
    bool on_object_begin(Failure&) {
        begin_value(object_cost);
        open(false);
        return true;
    }
    bool on_object_end(std::size_t count, Failure& ec) {
        if (!to().on_object_end(count, ec)) return false;
        close();
        return true;
    }
    bool on_array_begin(Failure&) {
        begin_value(array_cost);
        open(true);
        return true;
    }
    bool on_array_end(std::size_t count, Failure& ec) {
        to().on_array_end(!part_ && list_of_parts() ? 0 : count, ec);
        close();
        return true;
    }
    bool on_key_part(Text part, std::size_t size, Failure& ec) {
        take_cost(2 * part.size());
        if (!part_) key_.append(part);
        return to().on_key_part(part, size, ec);
    }
    bool on_key(Text part, std::size_t size, Failure& ec) {
        take_cost(2 * part.size());
        if (!part_) {
            key_.append(part);
            frames_.back().key = std::move(key_);
            key_.clear();
        }
        return to().on_key(part, size, ec);
    }
    bool on_string_part(Text part, std::size_t size, Failure& ec) {
        begin_string(part.size());
        if (inner_) {
            inner_->feed({part.data(), part.size()});
            return true;
        }
        return to().on_string_part(part, size, ec);
    }
    bool on_string(Text part, std::size_t size, Failure& ec) {
        begin_string(part.size());
        in_string_ = false;
        if (inner_) {
            inner_->feed({part.data(), part.size()});
            return true;
        }
        to().on_string(part, size, ec);
        return end_scalar();
    }
    bool on_number_part(Text part, Failure& ec) {
        if (!in_number_) begin_value(scalar_cost);
        in_number_ = true;
        take_cost(2 * part.size());
        return to().on_number_part(part, ec);
    }
    bool on_int64(std::int64_t number, Text text, Failure& ec) {
        begin_number();
        return to().on_int64(number, text, ec) && end_scalar();
    }
    bool on_uint64(std::uint64_t number, Text text, Failure& ec) {
        begin_number();
        return to().on_uint64(number, text, ec) && end_scalar();
    }
    bool on_double(double number, Text text, Failure& ec) {
        begin_number();
        return to().on_double(number, text, ec) && end_scalar();
    }
    bool on_bool(bool flag, Failure& ec) {
        begin_value(scalar_cost);
        return to().on_bool(flag, ec) && end_scalar();
    }
    bool on_null(Failure& ec) {
        begin_value(scalar_cost);
        return to().on_null(ec) && end_scalar();
    }
    bool on_comment_part(Text, Failure&) { return true; }
    bool on_comment(Text, Failure&) { return true; }

    /// Where the parser is: "agents.0.messages.17", or "" at the very begin.
    std::string place() const {
        if (part_) return part_->place();
        std::string path;
        for (const Frame& frame : frames_)
            path += (path.empty() ? "" : ".") + (frame.list ? std::to_string(frame.index) : frame.key);
        return path;
    }
    void explain(Failure ec, std::string_view read, JsonParse& into) const {
        (part_ ? builder_ : rest_).explain(ec, read, into);
    }
    json::value finish() { return inner_ ? inner_->finish() : rest_.stack.release(); }

private:
    struct Frame {
        bool list = false;
        std::size_t index = 0;  ///< of the element that is read
        std::string key;        ///< of the member that is read
    };

    JsonBuilder& to() { return part_ ? builder_ : rest_; }

    bool member(std::size_t depth, std::string_view name) const {
        return !frames_[depth].list && frames_[depth].key == name;
    }
    /// Whether the innermost list of the rest is one of parts.
    bool list_of_parts() const {
        const std::size_t depth = frames_.size();
        if (depth == 0 || !frames_.back().list) return false;
        if (depth == 2) return member(0, "messages");
        return depth == 4 && member(0, "agents") && frames_[1].list && member(2, "messages");
    }

    void take_cost(std::size_t bytes) {
        std::size_t& cost = part_ ? part_->cost : cost_;
        cost += bytes;
        if (cost > (part_ ? part_cost_max : rest_cost_max))
            throw part_ ? corrupted(part_->place() + " is too large")
                        : corrupted("there is too much in it besides messages and texts of files (in " + place() + ")");
    }

    void begin_value(std::size_t cost) {
        if (!part_ && list_of_parts()) {
            const bool legacy = frames_.size() == 2;
            begin_part(legacy ? AgentFilePart::Kind::legacy_message : AgentFilePart::Kind::message,
                       legacy ? 0 : frames_[1].index, frames_.back().index);
        }
        take_cost(cost);
    }
    void begin_part(AgentFilePart::Kind kind, std::size_t owner, std::size_t index) {
        part_.emplace();
        part_->kind = kind;
        part_->owner = owner;
        part_->index = index;
        part_depth_ = 0;
        builder_.stack.reset();
    }
    void begin_string(std::size_t bytes) {
        if (!in_string_) {
            in_string_ = true;
            if (!part_ && frames_.size() == 3 && member(0, "files") && frames_[1].list && member(2, "content"))
                begin_part(AgentFilePart::Kind::text, frames_[1].index, 0);
            else if (frames_.empty() && !within_string_)
                inner_ = inner_file(on_part_);
            begin_value(scalar_cost);
        }
        if (!inner_) take_cost(2 * bytes);
    }
    void begin_number() {
        if (!std::exchange(in_number_, false)) begin_value(scalar_cost);
    }

    void open(bool list) {
        if (part_) {
            ++part_depth_;
        } else {
            Frame frame;
            frame.list = list;
            frames_.push_back(std::move(frame));
        }
    }
    void close() {
        if (part_)
            --part_depth_;
        else
            frames_.pop_back();
        end_scalar();
    }
    bool end_scalar() {
        if (part_) {
            if (part_depth_ > 0) return true;
            const AgentFilePart part = *part_;
            part_.reset();
            on_part_(part, builder_.stack.release());
            if (part.kind == AgentFilePart::Kind::text) rest_.stack.push_string("");
        }
        if (!frames_.empty() && frames_.back().list) ++frames_.back().index;
        return true;
    }

    AgentFileSplitter::OnPart on_part_;
    bool within_string_ = false;
    JsonBuilder rest_, builder_;
    std::vector<Frame> frames_;  ///< of the rest: what is open
    std::string key_;
    std::optional<AgentFilePart> part_;
    std::size_t part_depth_ = 0;
    std::size_t cost_ = 0;
    bool in_string_ = false, in_number_ = false;
    std::unique_ptr<InnerFile> inner_;
};

// A parser over a Handler, with what its errors need.
class Reader : public InnerFile {
public:
    Reader(AgentFileSplitter::OnPart on_part, bool within_string) : parser_(JsonBuilder::options()) {
        parser_.handler().begin(std::move(on_part), within_string);
    }

    void feed(std::string_view bytes) override { write(bytes, true); }
    json::value finish() override {
        write({}, false);
        json::value rest = parser_.handler().finish();
        if (!rest.is_object()) throw corrupted("it must be a JSON object");
        return rest;
    }

private:
    void write(std::string_view bytes, bool more) {
        json::error_code ec;
        const std::size_t used = parser_.write_some(more, bytes.data(), bytes.size(), ec);
        if (!ec && used < bytes.size()) ec = json::error::extra_data;
        if (ec) fail(ec, bytes, used);
        read_ += bytes.size();
        tail_ = bytes.size() < shown_tail_bytes ? tail_ + std::string(bytes)
                                                : std::string(bytes.substr(bytes.size() - shown_tail_bytes));
        if (tail_.size() > shown_tail_bytes) tail_.erase(0, tail_.size() - shown_tail_bytes);
    }
    [[noreturn]] void fail(json::error_code ec, std::string_view bytes, std::size_t used) {
        // The library calls bytes that are no UTF-8 a mere syntax error.
        if (!is_utf8_but_for_its_ends(tail_ + std::string(bytes.substr(0, used + 8))))
            throw corrupted("it is no UTF-8");
        JsonParse why;
        parser_.handler().explain(ec, tail_ + std::string(bytes.substr(0, used + 1)), why);
        std::string text = why.where.empty() ? why.problem : "'" + why.where + "': " + why.problem;
        const std::string place = parser_.handler().place();
        text += " (byte " + std::to_string(read_ + used) + (place.empty() ? "" : ", in " + place) + ")";
        throw corrupted(text);
    }
    // `text`: cut out of a longer one.
    static bool is_utf8_but_for_its_ends(std::string_view text) {
        const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
        for (int i = 0; i < 3 && !text.empty() && continues(text.front()); ++i) text.remove_prefix(1);
        std::size_t behind_lead = 0;
        while (behind_lead < 3 && behind_lead < text.size() && continues(text[text.size() - 1 - behind_lead]))
            ++behind_lead;
        if (behind_lead < text.size()) {
            const auto lead = static_cast<unsigned char>(text[text.size() - 1 - behind_lead]);
            const std::size_t needed = lead >= 0xf0 && lead <= 0xf4 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
            if (lead <= 0xf4 && behind_lead < needed) text.remove_suffix(behind_lead + 1);
        }
        return is_utf8(text);
    }

    json::basic_parser<Handler> parser_;
    std::uint64_t read_ = 0;
    std::string tail_;  ///< the last bytes of what was read before
};

std::unique_ptr<InnerFile> inner_file(AgentFileSplitter::OnPart on_part) {
    return std::make_unique<Reader>(std::move(on_part), true);
}

}  // namespace

std::string AgentFilePart::place() const {
    if (kind == Kind::text) return "files." + std::to_string(owner) + ".content";
    const std::string message = "messages." + std::to_string(index);
    return kind == Kind::legacy_message ? message : "agents." + std::to_string(owner) + "." + message;
}

struct AgentFileSplitter::Parser : Reader {
    using Reader::Reader;
};

AgentFileSplitter::AgentFileSplitter(OnPart on_part) : parser_(std::make_unique<Parser>(std::move(on_part), false)) {}
AgentFileSplitter::~AgentFileSplitter() = default;

void AgentFileSplitter::feed(std::string_view bytes) { parser_->feed(bytes); }

json::value AgentFileSplitter::finish() { return parser_->finish(); }

}  // namespace stele
