#include "net/multipart.hpp"

#include "base/error.hpp"
#include "net/http.hpp"

#include <algorithm>

namespace stele::net {
namespace {

constexpr std::size_t boundary_bytes_max = 70;  // RFC 2046
constexpr std::size_t parts_max = 1'000;

Error no_form(const std::string& why) { return invalid_field("body", "must be multipart/form-data: " + why); }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// `form-data; name="a"; filename="b"` -> the value of `name`; quoted pairs are undone, so are the escapes of browsers.
std::string parameter(std::string_view value, std::string_view name) {
    std::size_t at = value.find(';');
    while (at != std::string_view::npos) {
        const std::size_t equals = value.find('=', at);
        if (equals == std::string_view::npos) return {};
        const std::string_view word = trimmed(value.substr(at + 1, equals - at - 1));
        std::string text;
        std::size_t end = equals + 1;
        if (end < value.size() && value[end] == '"') {
            for (++end; end < value.size() && value[end] != '"'; ++end) {
                if (value[end] == '\\' && end + 1 < value.size() && (value[end + 1] == '"' || value[end + 1] == '\\'))
                    ++end;
                text += value[end];
            }
        } else {
            const std::size_t stop = std::min(value.find(';', end), value.size());
            text = trimmed(value.substr(end, stop - end));
            end = stop;
        }
        if (same_name(word, name)) return text;
        at = value.find(';', end);
    }
    return {};
}

void take_headers(std::string_view head, FormPart& part) {
    while (!head.empty()) {
        const std::size_t end = std::min(head.find("\r\n"), head.size());
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) throw no_form("a part has a header without a name");
        const std::string_view name = trimmed(line.substr(0, colon));
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (same_name(name, "Content-Disposition")) {
            part.name = parameter(value, "name");
            part.file_name = parameter(value, "filename");
        } else if (same_name(name, "Content-Type")) {
            part.content_type = value;
        }
    }
}

}  // namespace

std::vector<FormPart> parse_form(std::string_view content_type, std::string_view body) {
    const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
    if (!same_name(type, "multipart/form-data")) throw no_form("the header Content-Type names something else");
    const std::string boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > boundary_bytes_max) throw no_form("the boundary is missing or too long");

    const std::string delimiter = "\r\n--" + boundary;
    const std::string_view first = std::string_view(delimiter).substr(2);
    std::size_t at = body.find(first);
    if (at == std::string_view::npos) throw no_form("its boundary does not occur in it");
    at += first.size();
    std::vector<FormPart> parts;
    while (body.substr(at, 2) != "--") {
        const std::size_t line_end = body.find("\r\n", at);
        const std::size_t head_end = line_end == std::string_view::npos ? line_end : body.find("\r\n\r\n", line_end);
        const std::size_t end = head_end == std::string_view::npos ? head_end : body.find(delimiter, head_end + 2);
        if (end == std::string_view::npos) throw no_form("it is cut");
        if (parts.size() == parts_max) throw no_form("it has more than 1000 parts");
        FormPart& part = parts.emplace_back();
        if (head_end > line_end) take_headers(body.substr(line_end + 2, head_end - line_end - 2), part);
        const std::size_t begin = head_end + 4;
        part.content = end > begin ? body.substr(begin, end - begin) : std::string_view();
        at = end + delimiter.size();
    }
    return parts;
}

}  // namespace stele::net
