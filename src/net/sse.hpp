#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// text/event-stream (WHATWG HTML, "Server-sent events"): reading and writing.
namespace stele::net {

struct SseEvent {
    std::string event;  ///< "" for an ordinary message
    std::string data;   ///< the data lines, joined by line feeds
    std::string id;     ///< of this event or the last before it that had one

    bool operator==(const SseEvent&) const = default;
};

/// Turns the bytes of an event stream into events. No I/O: cut anywhere, they give the same events. Lines may end in
/// CR, LF or CRLF; comments and a byte order mark are skipped.
class SseReader {
public:
    explicit SseReader(std::size_t event_bytes_max = 16u << 20) : event_bytes_max_(event_bytes_max) {}

    /// Appends the events that `bytes` complete. Fails with errc::message_size when a line and the data before it are
    /// together larger than allowed, and from then on always.
    boost::system::result<void> feed(std::string_view bytes, std::vector<SseEvent>& out);

    /// After what time, in milliseconds, the server wants to be asked again once the stream is over; nothing if it did
    /// not say.
    std::optional<std::int64_t> retry_ms() const { return retry_ms_; }

private:
    bool fits(std::size_t line_bytes) const { return line_bytes + event_.data.size() <= event_bytes_max_; }
    void take_line(std::string_view line, std::vector<SseEvent>& out);

    std::size_t event_bytes_max_;
    std::string line_;
    SseEvent event_;
    std::optional<std::int64_t> retry_ms_;
    bool has_data_ = false;
    bool after_cr_ = false;
    bool at_start_ = true;
    bool failed_ = false;
};

/// Appends one event: a "data: " line for each line of `data`, before them "event: " and "id: " lines when `event` and
/// `id` are not empty; those two hold no line breaks.
void append_sse(std::string& out, std::string_view data, std::string_view event = {}, std::string_view id = {});

/// The same for JSON text, which holds no line breaks, and in which U+0085, U+2028 and U+2029 are escaped: they end no
/// line, but readers that split with Python's str.splitlines (httpx, and the official client of generation 1 with it)
/// take them for ends and lose the event.
void append_sse_json(std::string& out, std::string_view json, std::string_view event = {}, std::string_view id = {});

/// Appends a comment, which readers skip: keeps proxies from closing a silent stream. `text` holds no line break.
void append_sse_comment(std::string& out, std::string_view text);

}  // namespace stele::net
