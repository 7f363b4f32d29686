#include "storage/agent_search.hpp"

#include "domain/template.hpp"

namespace stele::storage {
namespace {

#define STELE_MADE_OF " FROM template t JOIN template_version v ON v.template_id = t.id WHERE "

// "name" stands for every version, "name:latest" for the newest; nothing is made of a draft.
void add_version(Select& select, const std::string& text) {
    const TemplateReference reference = parse_template_reference(text);
    const std::string key = template_name_key(reference.name);
    if (reference.name == text)
        select.where(
            "a.base_template_id IN (SELECT t.id FROM template t WHERE t.organization_id = a.organization_id"
            " AND t.name_key = ?)",
            key);
    else if (reference.number)
        select.where("a.template_id IN (SELECT v.id" STELE_MADE_OF
                     "t.organization_id = a.organization_id AND t.name_key = ? AND v.number = ?)",
                     key, *reference.number);
    else if (reference.current)
        select.where("1 = 0");
    else
        select.where("a.template_id IN (SELECT v.id" STELE_MADE_OF
                     "t.organization_id = a.organization_id AND t.name_key = ? AND v.number = t.latest)",
                     key);
}

}  // namespace

void add_term(Select& select, const SearchTerm& term) {
    if (term.field == "tags") {
        for (const std::string& tag : padded(term.values))
            select.where("EXISTS (SELECT 1 FROM agent_tag t WHERE t.agent_id = a.id AND t.tag = ?)", tag);
        return;
    }
    const std::string& value = term.values.front();
    if (term.field == "version") add_version(select, value);
    if (term.field == "name" && term.part) select.where("LOWER(a.name) LIKE LOWER(?) ESCAPE '\\'", like_pattern(value));
    if (term.field == "name" && !term.part) select.where("a.name = ?", value);
    if (term.field == "templateName")
        select.where(
            "a.base_template_id IN (SELECT t.id FROM template t WHERE t.organization_id = a.organization_id"
            " AND t.name_key = ?)",
            template_name_key(value));
    if (term.field == "agentId") select.where("a.id = ?", value);
}

}  // namespace stele::storage
