#include "domain/agent_file_reader.hpp"

#include "domain/agent_file_references.hpp"
#include "domain/image.hpp"
#include "domain/json_mapping.hpp"
#include "domain/legacy_agent_file.hpp"

#include <sodium.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>

namespace stele {
namespace {

namespace json = boost::json;
using Kind = AgentFilePart::Kind;

// Bounds of what a file may make the server remember and make.
constexpr std::size_t messages_max = 4'000'000, problems_max = 50, agents_max = 1'000, members_max = 20'000;

Error not_readable(const std::string& problems) { return refused("The agent file can't be read: " + problems); }

// What is wrong with the members of a file, as the one sentence that an import answers with.
std::string sentence(const std::vector<Error::Field>& fields) {
    std::string text;
    for (const Error::Field& field : fields) {
        if (text.size() > 2'000) return text + "; and more";
        const std::string_view where = field.where;
        text += (text.empty() ? "" : "; ") + std::string(where.substr(where.starts_with("body.") ? 5 : 0)) + " " +
                field.problem;
    }
    return text;
}

// Adds to `fields` what `read` has found.
template <class Read>
void collect(const std::string& root, std::vector<Error::Field>& fields, const Read& read) {
    Problems problems(root);
    problems.takes_nul = true;
    read(problems);
    if (problems.empty()) return;
    try {
        problems.throw_if_any();
    } catch (const Error& error) {
        fields.insert(fields.end(), error.fields.begin(), error.fields.end());
    }
}

// The ids of an agent's messages, as keyed hashes of 64 bits: two of four million are the same once in ten million
// files, and nobody can bring that about.
class MessageIds {
public:
    MessageIds() { randombytes_buf(key_.data(), key_.size()); }

    /// False if it is there already.
    bool add(const std::string& id, std::size_t index, bool is_system) {
        return numbers_.emplace(hash(id), static_cast<std::uint32_t>(index << 1 | (is_system ? 1 : 0))).second;
    }
    struct Found {
        std::size_t index;
        bool is_system;
    };
    std::optional<Found> find(const std::string& id) const {
        const auto found = numbers_.find(hash(id));
        if (found == numbers_.end()) return std::nullopt;
        return Found{found->second >> 1, (found->second & 1) != 0};
    }
    std::size_t size() const { return numbers_.size(); }

private:
    std::uint64_t hash(const std::string& id) const {
        std::uint64_t made = 0;
        static_assert(sizeof made == crypto_shorthash_BYTES);
        crypto_shorthash(reinterpret_cast<unsigned char*>(&made), reinterpret_cast<const unsigned char*>(id.data()),
                         id.size(), key_.data());
        return made;
    }

    std::array<unsigned char, crypto_shorthash_KEYBYTES> key_{};
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_;
};

// What a file holds: a text, or the bytes of an image.
struct Content {
    std::string bytes;
    std::string image_type;  // empty for a text
};
Content content_of(const json::string& text) {
    Content content;
    std::optional<std::string> image = image_of_data_url(text);
    if (image) {
        content.image_type = image_type_of(*image);
        content.bytes = std::move(*image);
    } else {
        content.bytes.assign(text.data(), text.size());
    }
    return content;
}

}  // namespace

struct AgentFileReader::Seen {
    struct Agent {
        MessageIds ids;
        std::size_t count = 0;
        std::vector<FileMessage> kept;
    };
    Agent& agent(const AgentFilePart& part) { return part.kind == Kind::legacy_message ? legacy : agents[part.owner]; }

    std::map<std::size_t, Agent> agents;
    Agent legacy;
    std::map<std::size_t, std::string> contents;
    std::map<std::size_t, std::string> images;  ///< media types of the files whose content is one
    std::vector<Error::Field> problems, legacy_problems;
    References twice;
    std::size_t messages = 0;
    bool whole = true;
};

AgentFileReader::AgentFileReader(std::size_t kept_cost_max)
    : kept_cost_max_(kept_cost_max),
      seen_(std::make_unique<Seen>()),
      splitter_([this](const AgentFilePart& part, json::value value) { take(part, std::move(value)); }) {}
AgentFileReader::~AgentFileReader() = default;

void AgentFileReader::take(const AgentFilePart& part, json::value value) {
    if (part.kind == Kind::text) {
        Content content = content_of(value.get_string());
        if (!content.image_type.empty()) seen_->images[part.owner] = std::move(content.image_type);
        return keep(part, {}, std::move(content.bytes));
    }
    const bool legacy = part.kind == Kind::legacy_message;
    if (++seen_->messages > messages_max)
        throw not_readable("it holds more than " + std::to_string(messages_max) + " messages");
    if (legacy && value.is_object()) value.get_object()["id"] = legacy_message_id(part.index);
    FileMessage message;
    std::vector<Error::Field>& problems = legacy ? seen_->legacy_problems : seen_->problems;
    const std::size_t before = problems.size();
    if (before < problems_max)
        collect("body." + part.place(), problems, [&](Problems& found) { mapping::read(value, message, found); });
    if (part.owner >= agents_max) return;  // refused at the end
    Seen::Agent& agent = seen_->agent(part);
    ++agent.count;
    if (problems.size() > before || before >= problems_max) return;
    if (message.id.empty())
        seen_->twice.problem(part.place() + ": every message needs an id");
    else if (!agent.ids.add(message.id, part.index, message.role == MessageRole::system))
        seen_->twice.problem(part.place() + ": the id " + std::string(first_bytes(message.id, 100)) +
                             " is there twice");
    keep(part, std::move(message), {});
}

void AgentFileReader::keep(const AgentFilePart& part, FileMessage message, std::string content) {
    if (!seen_->whole) return;
    kept_cost_ += part.cost;
    if (kept_cost_ <= kept_cost_max_) {
        if (part.kind == Kind::text)
            seen_->contents[part.owner] = std::move(content);
        else
            seen_->agent(part).kept.push_back(std::move(message));
        return;
    }
    seen_->whole = false;
    seen_->contents.clear();
    seen_->legacy.kept = {};
    for (auto& [number, agent] : seen_->agents) agent.kept = {};
}

AgentFileContents AgentFileReader::finish() {
    json::value rest = splitter_.finish();
    AgentFileContents contents;
    contents.whole = seen_->whole;
    contents.legacy = !rest.get_object().contains("agents");
    if (contents.legacy) {
        rest = upgraded_agent_file(rest.get_object(), seen_->legacy.count);
        seen_->agents.clear();
        seen_->agents.emplace(0, std::move(seen_->legacy));
        seen_->problems = std::move(seen_->legacy_problems);
    }
    for (const auto& [name, value] : rest.get_object())
        if (value.is_array() && value.get_array().size() > (name == "agents" ? agents_max : members_max))
            throw not_readable(std::string(name) + " are more than an import takes");

    AgentFile& file = contents.file;
    std::vector<Error::Field> problems;
    collect("body", problems, [&](Problems& found) { mapping::read(rest, file, found); });
    problems.insert(problems.end(), seen_->problems.begin(), seen_->problems.end());
    if (!problems.empty()) throw not_readable(sentence(problems));
    seen_->twice.throw_if_any();
    for (std::size_t i = 0; i < file.agents.size(); ++i) {
        FileAgentLinks& links = file.agents[i].links;
        Seen::Agent& seen = seen_->agents[i];
        AgentFileMessages& messages = contents.messages.emplace_back();
        messages.count = seen.count;
        References own;
        for (const std::string& id : links.in_context_message_ids) {
            const auto found = seen.ids.find(id);
            if (!found) {
                own.problem(links.id + ".in_context_message_ids: the file has no message " + id);
                continue;
            }
            if (messages.window.empty()) messages.begins_with_system = found->is_system;
            messages.window.push_back(found->index);
        }
        own.throw_if_any();
        links.messages = std::move(seen.kept);
    }
    for (auto& [number, content] : seen_->contents) file.files.at(number).content = std::move(content);
    for (auto& [number, type] : seen_->images) file.files.at(number).image_type = std::move(type);
    check_references(file);
    return contents;
}

AgentFilePieces::AgentFilePieces(bool legacy)
    : splitter_([this, legacy](const AgentFilePart& part, json::value value) {
          if (part.kind != Kind::text && legacy != (part.kind == Kind::legacy_message)) return;
          AgentFilePiece& piece = pieces_.emplace_back();
          piece.part = part;
          if (part.kind == Kind::text) {
              piece.content = content_of(value.get_string()).bytes;
              return;
          }
          Problems problems("body");
          problems.takes_nul = true;
          mapping::read(value, piece.message, problems);
          problems.throw_if_any();
      }) {}

std::size_t AgentFilePieces::cost() const {
    std::size_t sum = 0;
    for (const AgentFilePiece& piece : pieces_) sum += piece.part.cost;
    return sum;
}

AgentFile parse_agent_file(const std::string& text) {
    AgentFileReader reader(static_cast<std::size_t>(-1));
    reader.feed(text);
    AgentFileContents contents = reader.finish();
    return std::move(contents.file);
}

}  // namespace stele
