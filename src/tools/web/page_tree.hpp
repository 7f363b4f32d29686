#pragma once

#include <libxml/tree.h>

#include <memory>
#include <string>
#include <string_view>

// Inside web/ alone: what is asked of the parser's tree.
namespace stele::tools::web {

using Document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>;

/// The tree of `html`, which has gone through reduced_html. Null if there is nothing in it.
Document parse_page(const std::string& html);

/// Empty for what is no element.
std::string_view name_of(const xmlNode* node);

/// Empty where it is absent.
std::string_view attribute(const xmlNode* node, const char* name);

bool has_attribute(const xmlNode* node, const char* name);

std::string_view text_of(const xmlNode* node);

/// The next node in the order of the page, within `root`; `descend` false: not among the children of `node`.
const xmlNode* following(const xmlNode* node, const xmlNode* root, bool descend);

/// All text below, as it stands there; a <br> is a line break.
std::string all_text(const xmlNode* node);

/// False for what its page hides, by attribute or by its own style.
bool is_shown(const xmlNode* node);

/// The part of the page that it is about: one element of `document`, or null.
const xmlNode* main_part(const xmlDoc* document);

/// True for navigation and the like, which stand around what a page is about.
bool is_surroundings(const xmlNode* node);

}  // namespace stele::tools::web
