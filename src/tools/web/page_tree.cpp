#include "tools/web/page_tree.hpp"

#include <libxml/HTMLparser.h>

#include <algorithm>
#include <mutex>

namespace stele::tools::web {
namespace {

// A part that calls itself the main one holds at least this share of the page's text, else it is believed no more.
constexpr std::size_t main_share = 5;  // a fifth

std::string_view view(const xmlChar* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

std::size_t text_bytes(const xmlNode* root) {
    std::size_t bytes = 0;
    for (const xmlNode* node = root; node != nullptr;) {
        const bool shown = is_shown(node) && !is_surroundings(node);
        if (shown || node == root) bytes += text_of(node).size();
        node = following(node, root, shown || node == root);
    }
    return bytes;
}

}  // namespace

Document parse_page(const std::string& html) {
    static std::once_flag once;
    std::call_once(once, xmlInitParser);
    const std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> context(htmlNewParserCtxt(),
                                                                                 htmlFreeParserCtxt);
    if (!context) throw std::bad_alloc();
    constexpr int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                            HTML_PARSE_NODEFDTD | HTML_PARSE_COMPACT;
    return Document(
        htmlCtxtReadMemory(context.get(), html.data(), static_cast<int>(html.size()), nullptr, "UTF-8", options),
        xmlFreeDoc);
}

std::string_view name_of(const xmlNode* node) {
    return node->type == XML_ELEMENT_NODE ? view(node->name) : std::string_view();
}

std::string_view attribute(const xmlNode* node, const char* name) {
    if (node->type != XML_ELEMENT_NODE) return {};
    for (const xmlAttr* each = node->properties; each != nullptr; each = each->next)
        if (view(each->name) == name)
            return each->children == nullptr ? std::string_view() : view(each->children->content);
    return {};
}

bool has_attribute(const xmlNode* node, const char* name) {
    if (node->type != XML_ELEMENT_NODE) return false;
    for (const xmlAttr* each = node->properties; each != nullptr; each = each->next)
        if (view(each->name) == name) return true;
    return false;
}

std::string_view text_of(const xmlNode* node) {
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE ? view(node->content)
                                                                               : std::string_view();
}

const xmlNode* following(const xmlNode* node, const xmlNode* root, bool descend) {
    if (descend && node->type == XML_ELEMENT_NODE && node->children != nullptr) return node->children;
    while (node != root && node->next == nullptr) node = node->parent;
    return node == root ? nullptr : node->next;
}

std::string all_text(const xmlNode* node) {
    std::string text;
    for (const xmlNode* each = node; each != nullptr; each = following(each, node, true)) {
        text += text_of(each);
        if (name_of(each) == "br") text += '\n';
    }
    return text;
}

bool is_shown(const xmlNode* node) {
    if (node->type != XML_ELEMENT_NODE) return true;
    if (node->properties == nullptr) return name_of(node) != "dialog";
    if (has_attribute(node, "hidden") || attribute(node, "aria-hidden") == "true") return false;
    if (name_of(node) == "dialog" && !has_attribute(node, "open")) return false;
    std::string style;
    for (const char c : attribute(node, "style"))
        if (c != ' ') style += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return style.find("display:none") == style.npos && style.find("visibility:hidden") == style.npos;
}

bool is_surroundings(const xmlNode* node) {
    constexpr std::string_view names[] = {"nav", "aside", "footer", "menu"};
    constexpr std::string_view roles[] = {"navigation", "banner", "contentinfo", "complementary", "search", "menu"};
    const std::string_view name = name_of(node);
    if (name.empty()) return false;
    if (name == "header") {  // of the page; that of an article is part of what is read
        for (const xmlNode* above = node->parent; above != nullptr; above = above->parent)
            if (name_of(above) == "article" || name_of(above) == "main" || name_of(above) == "section") return false;
        // A page whose only heading stands in its header is not to lose it.
        for (const xmlNode* each = node; each != nullptr; each = following(each, node, true))
            if (name_of(each) == "h1") return false;
        return true;
    }
    if (std::find(std::begin(names), std::end(names), name) != std::end(names)) return true;
    const std::string_view role = attribute(node, "role");
    return !role.empty() && std::find(std::begin(roles), std::end(roles), role) != std::end(roles);
}

const xmlNode* main_part(const xmlDoc* document) {
    const xmlNode* root = xmlDocGetRootElement(document);
    if (root == nullptr) return nullptr;
    const xmlNode* body = root;
    const xmlNode* main = nullptr;
    const xmlNode* article = nullptr;
    std::size_t articles = 0;
    for (const xmlNode* node = root; node != nullptr;) {
        const std::string_view name = name_of(node);
        const bool shown = is_shown(node);
        if (name == "body" && body == root) body = node;
        if (shown && main == nullptr && (name == "main" || attribute(node, "role") == "main")) main = node;
        if (shown && name == "article" && articles++ == 0) article = node;
        // Articles within an article are its comments, say.
        node = following(node, root, shown && name != "article");
    }
    const std::size_t whole = text_bytes(body);
    for (const xmlNode* part : {main, articles == 1 ? article : nullptr})
        if (part != nullptr && text_bytes(part) * main_share >= whole) return part;
    return body;
}

}  // namespace stele::tools::web
