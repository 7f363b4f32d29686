#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// text/event-stream (WHATWG HTML, "Server-sent events"): reading and writing.
namespace stele::net {

struct SseEvent {
    std::string event;   ///< "" for an ordinary message
    std::string data;    ///< the data lines, joined by line feeds
    std::string id;

    bool operator==(const SseEvent&) const = default;
};

/// Turns the bytes of an event stream into events. No I/O: cut anywhere, they give the same events. Lines may end in CR,
/// LF or CRLF; comments, retry lines and a byte order mark are skipped.
class SseReader {
public:
    explicit SseReader(std::size_t event_bytes_max = 16u << 20) : event_bytes_max_(event_bytes_max) {}

    /// Appends the events that `bytes` complete. Fails with errc::message_size when one grows too large.
    boost::system::result<void> feed(std::string_view bytes, std::vector<SseEvent>& out);

private:
    void take_line(std::string_view line, std::vector<SseEvent>& out);

    std::size_t event_bytes_max_;
    std::string line_;
    SseEvent event_;
    bool has_data_ = false;
    bool after_cr_ = false;
    bool at_start_ = true;
};

/// Appends "data: ...\n\n"; `data` holds no line break (JSON does not). With `event` a line for it goes before.
void append_sse(std::string& out, std::string_view data, std::string_view event = {});

}  // namespace stele::net
