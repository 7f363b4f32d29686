#include "net/sse.hpp"

#include "base/replaced.hpp"

#include <boost/system/errc.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace stele::net {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += value;
    out += '\n';
}

void append_names(std::string& out, std::string_view event, std::string_view id) {
    if (!event.empty()) append_line(out, "event: ", event);
    if (!id.empty()) append_line(out, "id: ", id);
}

}  // namespace

boost::system::result<void> SseReader::feed(std::string_view bytes, std::vector<SseEvent>& out) {
    while (!bytes.empty() && !failed_) {
        if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        // Two searches for one character each: find_first_of looks at every character by itself.
        const std::string_view line = bytes.substr(0, bytes.find('\n'));
        const std::size_t end = std::min(line.find('\r'), line.size());
        if (!fits(line_.size() + end)) {
            failed_ = true;
        } else if (end == bytes.size()) {
            line_ += bytes;
            bytes = {};
        } else {
            after_cr_ = bytes[end] == '\r';
            if (line_.empty()) {
                take_line(bytes.substr(0, end), out);  // the common case copies nothing twice
            } else {
                line_ += bytes.substr(0, end);
                take_line(line_, out);
                line_.clear();
            }
            bytes.remove_prefix(end + 1);
        }
    }
    if (failed_) return boost::system::errc::make_error_code(boost::system::errc::message_size);
    return {};
}

void SseReader::take_line(std::string_view line, std::vector<SseEvent>& out) {
    if (at_start_) {
        at_start_ = false;
        if (line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
    }
    if (line.empty()) {
        if (has_data_) out.push_back(event_);
        event_.event.clear();
        event_.data.clear();
        has_data_ = false;
        return;
    }
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view field = line.substr(0, colon);
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "data") {
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    } else if (field == "event") {
        event_.event = value;
    } else if (field == "id" && value.find('\0') == std::string_view::npos) {
        event_.id = value;
    } else if (field == "retry") {
        std::int64_t number = 0;
        const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (failure == std::errc() && end == value.data() + value.size() && number >= 0) retry_ms_ = number;
    }
}

void append_sse(std::string& out, std::string_view data, std::string_view event, std::string_view id) {
    append_names(out, event, id);
    for (std::size_t end = data.find_first_of("\r\n"); end != std::string_view::npos;
         end = data.find_first_of("\r\n")) {
        append_line(out, "data: ", data.substr(0, end));
        const bool pair = data.substr(end, 2) == "\r\n";
        data.remove_prefix(end + (pair ? 2 : 1));
    }
    append_line(out, "data: ", data);
    out += '\n';
}

void append_sse_json(std::string& out, std::string_view json, std::string_view event, std::string_view id) {
    constexpr std::string_view separators[][2] = {
        {"\xC2\x85", "\\u0085"}, {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}};
    std::string escaped;
    for (const auto& [separator, escape] : separators) {
        if (json.find(separator) == std::string_view::npos) continue;
        escaped = replaced(json, separator, escape);
        json = escaped;
    }
    append_names(out, event, id);
    append_line(out, "data: ", json);
    out += '\n';
}

void append_sse_comment(std::string& out, std::string_view text) {
    append_line(out, ": ", text);
    out += '\n';
}

}  // namespace stele::net
