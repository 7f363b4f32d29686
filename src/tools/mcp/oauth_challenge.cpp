#include "tools/mcp/oauth_challenge.hpp"

#include <algorithm>

namespace stele::tools::mcp {
namespace {

constexpr std::size_t challenge_bytes_max = 8'192;

// challenges = challenge *( "," challenge ), challenge = scheme [ param *( "," param ) ], param = name "=" value, where
// value is a token or a quoted text (RFC 9110, 11.6.1). A word is a scheme unless a "=" follows it.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool at_end() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == ',')) ++at_;
        return at_ == text_.size();
    }

    std::string word() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && std::string_view(" \t,=\"").find(text_[at_]) == std::string_view::npos) ++at_;
        if (at_ == begin) ++at_;  // no word: never stand still
        return std::string(text_.substr(begin, at_ - begin));
    }

    bool take_equals() {
        std::size_t ahead = at_;
        while (ahead < text_.size() && (text_[ahead] == ' ' || text_[ahead] == '\t')) ++ahead;
        if (ahead == text_.size() || text_[ahead] != '=') return false;
        at_ = ahead + 1;
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
        return true;
    }

    std::string value() {
        if (at_ == text_.size() || text_[at_] == ',') return {};
        if (text_[at_] != '"') return word();
        std::string made;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            made += text_[at_];
        }
        if (at_ < text_.size()) ++at_;
        return made;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

template <class Use>
void for_each_scope(std::string_view scopes, const Use& use) {
    while (!scopes.empty()) {
        const std::size_t end = std::min(scopes.find(' '), scopes.size());
        if (end > 0) use(scopes.substr(0, end));
        scopes.remove_prefix(std::min(end + 1, scopes.size()));
    }
}

}  // namespace

std::string challenges_of(const net::Headers& headers) {
    std::string all;
    for (const auto& [name, value] : headers.fields()) {
        if (!net::same_name(name, "WWW-Authenticate")) continue;
        if (!all.empty()) all += ", ";
        all += value;
    }
    return all;
}

Challenge parse_challenge(std::string_view text) {
    Challenge challenge;
    Reader reader(text.substr(0, challenge_bytes_max));
    bool bearer = false;
    while (!reader.at_end()) {
        const std::string name = reader.word();
        if (!reader.take_equals()) {
            bearer = net::same_name(name, "Bearer");
            continue;
        }
        std::string value = reader.value();
        if (!bearer) continue;
        if (net::same_name(name, "resource_metadata")) challenge.resource_metadata = std::move(value);
        if (net::same_name(name, "scope")) challenge.scope = std::move(value);
        if (net::same_name(name, "error")) challenge.error = std::move(value);
    }
    return challenge;
}

std::string united_scopes(std::string_view some, std::string_view more) {
    std::string all;
    const auto add = [&](std::string_view scope) {
        const std::string spaced = " " + all + " ";
        if (spaced.find(" " + std::string(scope) + " ") != std::string::npos) return;
        if (!all.empty()) all += ' ';
        all.append(scope);
    };
    for_each_scope(some, add);
    for_each_scope(more, add);
    return all;
}

}  // namespace stele::tools::mcp
