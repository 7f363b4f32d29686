#include "tools/web/html_reduction.hpp"

#include <algorithm>
#include <array>
#include <bitset>

namespace stele::tools::web {
namespace {

constexpr std::size_t tags_max = 200'000;
constexpr std::size_t depth_max = 100;  // parsers stop at 256, and give each of these up to two levels of their own
constexpr std::size_t name_bytes_max = 40;
constexpr std::size_t value_bytes_max = 4'096;  // longer ones are images in a URL, or worse

constexpr std::string_view kept_attributes[] = {
    "href", "src",  "data-src", "alt",     "title",   "hidden", "aria-hidden", "style", "role",  "id",
    "type", "name", "property", "content", "colspan", "class",  "start",       "open",  "value",
};
constexpr std::size_t kept_count = std::size(kept_attributes);

// Left out with all that is in them, up to their end tag or the end of the page.
constexpr std::string_view dropped_whole[] = {"script",   "style",    "noscript", "iframe",   "noembed", "noframes",
                                              "textarea", "template", "svg",      "math",     "object",  "canvas",
                                              "audio",    "video",    "select",   "datalist", "xmp"};

// Left out alone: elements without an end, of which the parser does not know that.
constexpr std::string_view dropped_alone[] = {"wbr", "source", "track", "embed", "param", "keygen", "area", "col"};

// Often not ended, so nothing can be counted by them; or never.
constexpr std::string_view not_counted[] = {"p",      "li",    "dt",    "dd",    "tr",   "td", "th",
                                            "option", "tbody", "thead", "tfoot", "head", "br", "hr",
                                            "img",    "meta",  "link",  "base",  "input"};

template <class List>
bool is_among(const List& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

class Reducer {
public:
    explicit Reducer(std::string_view html) : html_(html) { out_.reserve(html.size() / 2); }

    std::string run() {
        while (at_ < html_.size() && tags_ < tags_max) {
            const std::size_t next = std::min(html_.find('<', at_), html_.size());
            out_.append(html_, at_, next - at_);
            at_ = next;
            if (at_ < html_.size()) markup();
        }
        return std::move(out_);
    }

private:
    char peek(std::size_t ahead = 0) const { return at_ + ahead < html_.size() ? html_[at_ + ahead] : '\0'; }
    bool ended() const { return at_ >= html_.size(); }

    // At a '<'.
    void markup() {
        const char next = peek(1);
        if (is_letter(next))
            start_tag();
        else if (next == '/' && is_letter(peek(2)))
            end_tag();
        else if (html_.substr(at_).starts_with("<!--"))
            comment();
        else if (next == '!' || next == '?' || next == '/')
            skip_behind('>');
        else {
            out_ += "&lt;";
            ++at_;
        }
    }

    void skip_behind(char c) {
        const std::size_t found = html_.find(c, at_);
        at_ = found == html_.npos ? html_.size() : found + 1;
    }

    void comment() {
        at_ += 4;
        if (peek() == '>' || html_.substr(at_).starts_with("->")) {
            skip_behind('>');
            return;
        }
        // One search for both ends: looked for by itself, one that never comes would be looked for up to the end of the
        // page, by every comment.
        while ((at_ = std::min(html_.find("--", at_), html_.size())) < html_.size()) {
            const std::string_view rest = html_.substr(at_ + 2);
            if (rest.starts_with('>') || rest.starts_with("!>")) break;
            ++at_;
        }
        skip_behind('>');
    }

    // Empty for a name that is none. Stands behind it then, in any case.
    std::string tag_name() {
        const std::size_t begin = at_;
        while (!ended() && !is_blank(peek()) && peek() != '/' && peek() != '>') ++at_;
        std::string name;
        if (at_ - begin > name_bytes_max) return name;
        for (const char c : html_.substr(begin, at_ - begin)) name += lower(c);
        const bool plain = std::all_of(name.begin(), name.end(),
                                       [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
        return plain ? name : std::string();
    }

    // Puts what matters into `kept`. False if the page ends within the tag, which is none then.
    bool attributes(std::string& kept) {
        std::bitset<kept_count> seen;
        for (;;) {
            while (is_blank(peek()) || peek() == '/') ++at_;
            if (ended()) return false;
            if (peek() == '>') {
                ++at_;
                return true;
            }
            const std::size_t begin = at_++;  // a name may begin with '='
            while (!ended() && !is_blank(peek()) && peek() != '/' && peek() != '>' && peek() != '=') ++at_;
            const std::string_view name = html_.substr(begin, at_ - begin);
            while (is_blank(peek())) ++at_;
            std::string_view value;
            if (peek() == '=' && !attribute_value(value)) return false;
            keep(name, value, seen, kept);
        }
    }

    bool attribute_value(std::string_view& value) {
        ++at_;
        while (is_blank(peek())) ++at_;
        const char quote = peek();
        const std::size_t begin = at_;
        if (quote == '"' || quote == '\'') {
            const std::size_t end = html_.find(quote, begin + 1);
            if (end == html_.npos) {
                at_ = html_.size();
                return false;
            }
            value = html_.substr(begin + 1, end - begin - 1);
            at_ = end + 1;
            return true;
        }
        while (!ended() && !is_blank(peek()) && peek() != '>') ++at_;
        value = html_.substr(begin, at_ - begin);
        return true;
    }

    static void keep(std::string_view name, std::string_view value, std::bitset<kept_count>& seen, std::string& kept) {
        if (name.size() > name_bytes_max) return;
        std::string key;
        for (const char c : name) key += lower(c);
        const auto found = std::find(std::begin(kept_attributes), std::end(kept_attributes), key);
        if (found == std::end(kept_attributes)) return;
        const auto index = static_cast<std::size_t>(found - std::begin(kept_attributes));
        if (seen[index]) return;
        seen.set(index);
        kept += ' ';
        kept += key;
        kept += "=\"";
        if (value.size() <= value_bytes_max)
            for (const char c : value) {
                if (c == '"')
                    kept += "&quot;";
                else
                    kept += c;
            }
        kept += '"';
    }

    void start_tag() {
        ++at_;
        const std::string name = tag_name();
        std::string kept;
        if (!attributes(kept)) return;
        if (is_among(dropped_whole, name)) {
            skip_content(name);
            return;
        }
        if (name == "plaintext") at_ = html_.size();
        if (name.empty() || is_among(dropped_alone, name)) return;
        ++tags_;
        if (!is_among(not_counted, name) && ++depth_ > depth_max) return;  // its text stays
        out_ += '<';
        out_ += name;
        out_ += kept;
        out_ += '>';
        if (name == "title") title();
    }

    void end_tag() {
        at_ += 2;
        const std::string name = tag_name();
        std::string ignored;
        if (!attributes(ignored) || name.empty()) return;
        ++tags_;
        if (!is_among(not_counted, name) && depth_ > 0 && depth_-- > depth_max) return;
        out_ += "</" + name + ">";
    }

    // Where `name`'s end tag begins, or the end of the page.
    std::size_t find_end(std::string_view name) const {
        for (std::size_t found = html_.find("</", at_); found != html_.npos; found = html_.find("</", found + 2)) {
            const std::string_view there = html_.substr(found + 2, name.size());
            const bool same = std::equal(there.begin(), there.end(), name.begin(), name.end(),
                                         [](char a, char b) { return lower(a) == b; });
            const std::size_t behind = found + 2 + name.size();
            if (same &&
                (behind >= html_.size() || is_blank(html_[behind]) || html_[behind] == '/' || html_[behind] == '>'))
                return found;
        }
        return html_.size();
    }

    void skip_content(std::string_view name) {
        at_ = find_end(name);
        skip_behind('>');
        out_ += ' ';
    }

    // Its tags are text.
    void title() {
        const std::size_t end = find_end("title");
        for (const char c : html_.substr(at_, end - at_)) {
            if (c == '<')
                out_ += "&lt;";
            else
                out_ += c;
        }
        at_ = end;
    }

    std::string_view html_;
    std::size_t at_ = 0;
    std::size_t tags_ = 0;
    std::size_t depth_ = 0;
    std::string out_;
};

}  // namespace

std::string reduced_html(std::string_view html) { return Reducer(html).run(); }

}  // namespace stele::tools::web
