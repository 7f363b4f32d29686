#include "tools/web/markdown.hpp"

#include "net/url.hpp"
#include "tools/web/html_reduction.hpp"
#include "tools/web/markdown_writer.hpp"
#include "tools/web/page_table.hpp"

#include <algorithm>

namespace stele::tools::web {
namespace {

constexpr std::size_t markdown_bytes_max = 2u << 20;
constexpr std::size_t address_bytes_max = 2'000;
constexpr std::size_t title_bytes_max = 500;
constexpr int list_depth_max = 12;  // deeper lists are indented no further

template <class List>
bool is_among(const List& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

std::string trimmed(std::string_view text) {
    MarkdownWriter one_line(title_bytes_max);
    one_line.text(text);
    return one_line.take();
}

std::string title_of(const xmlDoc* document) {
    const xmlNode* root = xmlDocGetRootElement(document);
    std::string title;
    for (const xmlNode* node = root; node != nullptr; node = following(node, root, true)) {
        if (name_of(node) == "title" && title.empty()) title = trimmed(all_text(node));
        if (name_of(node) == "meta" && attribute(node, "property") == "og:title" && title.empty())
            title = trimmed(attribute(node, "content"));
    }
    return title;
}

// What relative addresses of the page are relative to. Each of its links is put together with it, so one that is longer
// than any address that is shown is none: then only whole addresses lead somewhere.
std::string base_of(const xmlDoc* document, const std::string& url) {
    const xmlNode* root = xmlDocGetRootElement(document);
    for (const xmlNode* node = root; node != nullptr; node = following(node, root, true))
        if (name_of(node) == "base" && has_attribute(node, "href")) {
            const std::string base = net::resolve_reference(url, attribute(node, "href"));
            return base.empty() ? url : base;
        }
    return url;
}

std::string short_enough(std::string base) { return base.size() <= address_bytes_max ? base : std::string(); }

class PageWriter {
public:
    PageWriter(std::string base, const xmlNode* root) : base_(std::move(base)), root_(root) {}

    std::string run() {
        children(root_);
        return out_.take();
    }

private:
    void children(const xmlNode* node) {
        for (const xmlNode* child = node->children; child != nullptr && !out_.full(); child = child->next) one(child);
    }

    void one(const xmlNode* node) {
        if (const std::string_view text = text_of(node); !text.empty()) {
            out_.text(text);
            return;
        }
        if (node->type != XML_ELEMENT_NODE || !is_shown(node) || is_surroundings(node)) return;
        const std::string_view name = name_of(node);
        if (name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6')
            heading(node, static_cast<std::size_t>(name[1] - '0'));
        else if (name == "a")
            link(node);
        else if (name == "img")
            image(node);
        else if (name == "br")
            out_.line();
        else if (name == "hr")
            rule();
        else if (name == "pre" || name == "listing")
            code_block(node);
        else if (is_among(code_names, name))
            code(node);
        else if (name == "strong" || name == "b")
            marked(node, "**");
        else if (name == "em" || name == "i" || name == "cite" || name == "dfn")
            marked(node, "*");
        else if (name == "del" || name == "s" || name == "strike")
            marked(node, "~~");
        else if (name == "q")
            marked(node, "\"");
        else if (name == "ul" || name == "ol" || name == "dir")
            list(node, name == "ol");
        else if (name == "li" || name == "dd")
            item(node, "- ");
        else if (name == "dt")
            block(node);
        else if (name == "blockquote")
            quote(node);
        else if (name == "table")
            table(node);
        else if (is_among(controls, name))
            return;
        else if (is_among(blocks, name))
            block(node);
        else
            children(node);
    }

    void block(const xmlNode* node) {
        out_.block();
        children(node);
        out_.block();
    }

    void heading(const xmlNode* node, std::size_t level) {
        if (out_.flat()) {
            children(node);
            return;
        }
        out_.block();
        out_.open(std::string(level, '#') + " ");
        out_.begin_flat();
        children(node);
        out_.end_flat();
        out_.close("");
        out_.block();
    }

    void marked(const xmlNode* node, const std::string& mark) {
        out_.begin_flat();
        out_.open(mark);
        children(node);
        out_.close(mark);
        out_.end_flat();
    }

    void link(const xmlNode* node) {
        const std::string address = address_of(attribute(node, "href"));
        if (address.empty() || in_link_) {
            children(node);
            return;
        }
        in_link_ = true;
        out_.begin_flat();
        out_.open("[");
        children(node);
        out_.close("](" + address + ")");
        out_.end_flat();
        in_link_ = false;
    }

    void image(const xmlNode* node) {
        const std::string alt = trimmed(attribute(node, "alt"));
        if (alt.empty()) return;
        std::string address = address_of(attribute(node, "src"));
        if (address.empty()) address = address_of(attribute(node, "data-src"));
        out_.open(address.empty() ? "" : "!");
        out_.open("[");
        out_.text(alt);
        out_.close(address.empty() ? "]" : "](" + address + ")");
        out_.close("");
    }

    void rule() {
        if (out_.flat()) return;
        out_.block();
        out_.text("---");
        out_.block();
    }

    void code(const xmlNode* node) {
        const std::string text = trimmed_code(all_text(node));
        if (text.empty()) return;
        const std::string fence(text.find('`') == text.npos ? 1 : 2, '`');
        out_.open(fence);
        out_.text(text);
        out_.close(fence);
    }

    static std::string trimmed_code(std::string text) {
        std::replace(text.begin(), text.end(), '\n', ' ');
        const auto begin = text.find_first_not_of(" \t");
        if (begin == text.npos) return {};
        return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
    }

    void code_block(const xmlNode* node) {
        std::string text = all_text(node);
        std::erase(text, '\r');
        text.erase(0, std::min(text.find_first_not_of('\n'), text.size()));
        while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
        if (text.empty()) return;
        if (out_.flat()) {
            out_.text(text);
            return;
        }
        std::string fence = "```";
        while (text.find(fence) != text.npos && fence.size() < 16) fence += '`';
        out_.block();
        out_.verbatim(fence + language_of(node) + "\n" + text + "\n" + fence);
        out_.block();
    }

    // "language-x" or "lang-x" among the classes of <pre> or of the <code> within.
    static std::string language_of(const xmlNode* pre) {
        const xmlNode* inner = pre->children;
        while (inner != nullptr && inner->type != XML_ELEMENT_NODE) inner = inner->next;
        for (const xmlNode* node : {pre, inner}) {
            if (node == nullptr) continue;
            const std::string_view classes = attribute(node, "class");
            for (const std::string_view prefix : {"language-", "lang-"}) {
                const auto at = classes.find(prefix);
                if (at == classes.npos) continue;
                std::string_view name = classes.substr(at + prefix.size());
                name = name.substr(0, name.find_first_of(" \t\n`"));
                if (name.size() <= 20) return std::string(name);
            }
        }
        return {};
    }

    void list(const xmlNode* node, bool numbered) {
        if (list_depth_ == 0) out_.block();
        out_.line();
        std::int64_t number = 1;
        if (numbered)
            if (const std::string start(attribute(node, "start")); !start.empty() && start.size() <= 6)
                number = std::max(0, std::atoi(start.c_str()));
        for (const xmlNode* child = node->children; child != nullptr && !out_.full(); child = child->next) {
            if (name_of(child) != "li") {
                one(child);
                continue;
            }
            if (!is_shown(child)) continue;
            item(child, numbered ? std::to_string(number++) + ". " : "- ");
        }
        if (list_depth_ == 0) out_.block();
        out_.line();
    }

    void item(const xmlNode* node, const std::string& marker) {
        out_.line();
        const bool indented = !out_.flat() && list_depth_ < list_depth_max;
        if (indented) out_.enter(marker, std::string(marker.size(), ' '));
        ++list_depth_;
        children(node);
        --list_depth_;
        if (indented) out_.leave();
        out_.line();
    }

    void quote(const xmlNode* node) {
        out_.block();
        const bool indented = !out_.flat() && quote_depth_ < list_depth_max;
        if (indented) out_.enter("> ", "> ");
        ++quote_depth_;
        children(node);
        --quote_depth_;
        if (indented) out_.leave();
        out_.block();
    }

    void table(const xmlNode* node) {
        const std::vector<TableRow> rows = out_.flat() ? std::vector<TableRow>() : data_rows(node);
        if (rows.empty()) {  // a table that only arranges its page
            layout(node);
            return;
        }
        out_.block();
        std::size_t columns = 0;
        for (const TableRow& row : rows) columns = std::max(columns, row.size());
        for (std::size_t i = 0; i < rows.size() && !out_.full(); ++i) {
            cells(rows[i], columns);
            if (i > 0) continue;
            out_.line();
            std::string parting = "|";
            for (std::size_t column = 0; column < columns; ++column) parting += " --- |";
            out_.text(parting);
        }
        out_.block();
    }

    void layout(const xmlNode* node) {
        for (const xmlNode* child = node->children; child != nullptr && !out_.full(); child = child->next) {
            const std::string_view name = name_of(child);
            if (name == "tr" || name == "tbody" || name == "thead" || name == "tfoot") {
                layout(child);
            } else if (name == "td" || name == "th" || name == "caption") {
                if (is_shown(child)) block(child);
            } else {
                one(child);
            }
        }
    }

    void cells(const TableRow& row, std::size_t columns) {
        out_.line();
        out_.begin_flat();
        out_.text("|");
        for (std::size_t column = 0; column < columns; ++column) {
            out_.text(" ");
            if (column < row.size()) {
                out_.set_in_cell(true);
                children(row[column]);
                out_.set_in_cell(false);
            }
            out_.text(" |");
        }
        out_.end_flat();
    }

    // Empty for what leads nowhere: scripts, data, a place on the page itself.
    std::string address_of(std::string_view reference) const {
        if (reference.empty() || reference.size() > address_bytes_max || reference.starts_with('#')) return {};
        const std::string address = net::resolve_reference(base_.empty() ? reference : base_, reference);
        for (const std::string_view scheme : {"http://", "https://", "mailto:", "ftp://"})
            if (address.starts_with(scheme) && address.size() <= address_bytes_max) return address;
        return {};
    }

    static constexpr std::string_view code_names[] = {"code", "kbd", "samp", "tt"};
    static constexpr std::string_view controls[] = {"button", "input", "rp",   "rt",  "head",
                                                    "title",  "meta",  "link", "base"};
    static constexpr std::string_view blocks[] = {"p",          "div",     "section", "article", "main",     "figure",
                                                  "figcaption", "address", "details", "summary", "fieldset", "legend",
                                                  "form",       "header",  "footer",  "center",  "body",     "dl",
                                                  "blockquote", "caption", "option",  "hgroup"};

    const std::string base_;
    const xmlNode* root_;
    MarkdownWriter out_{markdown_bytes_max};
    bool in_link_ = false;
    int list_depth_ = 0, quote_depth_ = 0;
};

}  // namespace

std::string page_to_markdown(std::string_view html, const std::string& url) {
    const Document document = parse_page(reduced_html(html));
    const xmlNode* part = document ? main_part(document.get()) : nullptr;
    if (part == nullptr) return {};
    const std::string title = title_of(document.get());
    std::string content = PageWriter(short_enough(base_of(document.get(), url)), part).run();
    if (title.empty() || content.starts_with("# ")) return content;
    return "# " + title + (content.empty() ? "" : "\n\n" + content);
}

}  // namespace stele::tools::web
