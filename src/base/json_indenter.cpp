#include "base/json_indenter.hpp"

namespace stele {

void JsonIndenter::new_line(std::string& out) const {
    out += '\n';
    out.append(depth_ * 2, ' ');
}

void JsonIndenter::add(std::string_view compact, std::string& out) {
    for (const char c : compact) {
        if (in_text_) {
            out += c;
            if (escaped_)
                escaped_ = false;
            else if (c == '\\')
                escaped_ = true;
            else if (c == '"')
                in_text_ = false;
            continue;
        }
        const bool closes = c == '}' || c == ']';
        if (opened_ && !closes) new_line(out);
        if (closes) {
            --depth_;
            if (!opened_) new_line(out);
        }
        opened_ = c == '{' || c == '[';
        out += c;
        if (opened_) ++depth_;
        if (c == '"') in_text_ = true;
        if (c == ',') new_line(out);
        if (c == ':') out += ' ';
    }
}

}  // namespace stele
