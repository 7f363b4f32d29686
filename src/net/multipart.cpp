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

// What stands in front of each part and behind the last.
std::string delimiter_of(std::string_view content_type) {
    const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
    if (!same_name(type, "multipart/form-data")) throw no_form("the header Content-Type names something else");
    const std::string boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > boundary_bytes_max) throw no_form("the boundary is missing or too long");
    return "\r\n--" + boundary;
}

// Finds texts in a source, through a window that moves forward.
class Finder {
public:
    explicit Finder(const ByteSource& source) : source_(source) {}

    std::string text(std::uint64_t offset, std::uint64_t size) const {
        std::string found(static_cast<std::size_t>(std::min(size, source_.size() - std::min(offset, source_.size()))),
                          '\0');
        for (std::size_t at = 0; at < found.size();) {
            const std::size_t bytes = source_.read(offset + at, found.data() + at, found.size() - at);
            if (bytes == 0) found.resize(at);
            at += bytes;
        }
        return found;
    }

    /// Where `needle` begins, from `offset` on; throws if it does not come within `within` bytes.
    std::uint64_t find(std::string_view needle, std::uint64_t offset, std::uint64_t within, const char* otherwise) {
        const std::uint64_t begin = offset;
        while (offset - begin <= within) {
            if (offset < base_ || offset >= base_ + window_.size() || window_.size() - (offset - base_) < needle.size())
                window_ = text(base_ = offset, window_bytes);
            const std::size_t at = window_.find(needle, static_cast<std::size_t>(offset - base_));
            if (at != std::string::npos) return base_ + at;
            if (window_.size() < window_bytes) break;
            offset = base_ + window_.size() - (needle.size() - 1);
        }
        throw no_form(otherwise);
    }

private:
    static constexpr std::size_t window_bytes = 256u << 10;

    const ByteSource& source_;
    std::uint64_t base_ = 0;
    std::string window_;
};

constexpr std::uint64_t part_head_bytes_max = 16u << 10, field_bytes_max = 1u << 20;

}  // namespace

std::vector<StoredFormPart> parse_form(std::string_view content_type, const ByteSource& body) {
    const std::string delimiter = delimiter_of(content_type);
    const std::string_view first = std::string_view(delimiter).substr(2);
    Finder finder(body);
    std::uint64_t at = finder.find(first, 0, part_head_bytes_max, "its boundary does not occur at its begin");
    at += first.size();
    std::vector<StoredFormPart> parts;
    while (finder.text(at, 2) != "--") {
        if (parts.size() == parts_max) throw no_form("it has more than 1000 parts");
        const std::uint64_t line_end = finder.find("\r\n", at, part_head_bytes_max, "it is cut");
        const std::uint64_t head_end =
            finder.find("\r\n\r\n", line_end, part_head_bytes_max, "it is cut, or a part's head is too long");
        const std::uint64_t end = finder.find(delimiter, head_end + 2, body.size(), "it is cut");
        FormPart head;
        const std::string lines = head_end > line_end ? finder.text(line_end + 2, head_end - line_end - 2) : "";
        take_headers(lines, head);
        StoredFormPart& part = parts.emplace_back();
        part.name = std::move(head.name);
        part.file_name = std::move(head.file_name);
        part.offset = head_end + 4;
        part.size = end > part.offset ? end - part.offset : 0;
        if (part.file_name.empty() && part.size <= field_bytes_max) part.content = finder.text(part.offset, part.size);
        at = end + delimiter.size();
    }
    return parts;
}

std::vector<FormPart> parse_form(std::string_view content_type, std::string_view body) {
    const std::string delimiter = delimiter_of(content_type);
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
