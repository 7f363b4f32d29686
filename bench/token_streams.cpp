// Many token streams at once: how long a token is under way from the model to its reader. Both ends of every stream are
// here, on one thread and straight on the sockets, so that most of the machine is left to the server between them. Each
// token is the time at which it left.
//   token_streams --words N --token-ms M     prints the model's port, and serves it; then, for each measurement,
//   reads      <port> <count>, and <count> paths to post to: /v1/chat/completions (no server between), or an agent's
//   stream prints     over                          once the first stream has ended: the moment to look at the server's
//   memory
//              <tokens> <counted> <p50> <p99> <most>      milliseconds, of the tokens while all streams were at work
#include <CLI/CLI.hpp>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <iostream>
#include <map>
#include <string>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

int demand(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

std::string read_some(int socket) {
    char bytes[16 << 10];
    const ssize_t got = ::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

// What does not go out at once is waited for: the other end reads all the time.
void write_all(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0) return;  // it has gone
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string chunked(const std::string& text) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
}

std::string event(const std::string& delta, const char* finish) {
    return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"mock","choices":[{"index":0,"delta":)" +
           delta + R"(,"finish_reason":)" + finish + "}]}\n\n";
}

/// The model's end of a stream.
struct Speaker {
    int socket;
    int words_left;
    Clock::time_point next;
};

/// The reader's end of one.
struct Listener {
    std::string text;  ///< what is not whole yet
    bool begun = false, ended = false;
};

class Bench {
public:
    Bench(int words, std::chrono::milliseconds pause) : words_(words), pause_(pause) {
        poller_ = demand(::epoll_create1(0), "epoll_create1");
        acceptor_ = demand(::socket(AF_INET, SOCK_STREAM, 0), "socket");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        demand(::bind(acceptor_, reinterpret_cast<sockaddr*>(&address), size), "bind");
        demand(::listen(acceptor_, 4'096), "listen");
        demand(::getsockname(acceptor_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
        port_ = ntohs(address.sin_port);
        watch(acceptor_);
        watch(STDIN_FILENO);
    }

    int port() const { return port_; }

    void run() {
        epoll_event ready[256];
        while (!stopped_) {
            const int count = ::epoll_wait(poller_, ready, 256, patience());
            for (int i = 0; i < count; ++i) take(ready[i].data.fd);
            speak();
        }
    }

private:
    void watch(int socket) {
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.fd = socket;
        demand(::epoll_ctl(poller_, EPOLL_CTL_ADD, socket, &wanted), "epoll_ctl");
    }

    // Milliseconds until the next token is due, rounded down: rather look too often than be late.
    int patience() const {
        if (speakers_.empty()) return -1;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(speakers_.front().next - Clock::now());
        return static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }

    void take(int socket) {
        if (socket == acceptor_) {
            const int accepted = demand(::accept(acceptor_, nullptr, nullptr), "accept");
            const int on = 1;
            ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            requests_[accepted];
            watch(accepted);
        } else if (socket == STDIN_FILENO) {
            begin();
        } else if (const auto listener = listeners_.find(socket); listener != listeners_.end()) {
            listen(socket, listener->second);
        } else {
            answer(socket);
        }
    }

    // One end of the model's: requests come one after another, and have no bodies that matter.
    void answer(int socket) {
        std::string& request = requests_[socket];
        const std::string more = read_some(socket);
        if (more.empty()) {
            requests_.erase(socket);
            ::close(socket);
            return;
        }
        request += more;
        const std::size_t head = request.find("\r\n\r\n");
        if (head == std::string::npos) return;
        std::size_t length = 0;
        const std::size_t field = request.find("Content-Length: ");
        if (field < head) length = std::stoul(request.substr(field + 16));
        if (request.size() < head + 4 + length) return;
        const bool completion = request.starts_with("POST");
        request.erase(0, head + 4 + length);
        if (completion) {
            write_all(socket,
                      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            speakers_.push_back({socket, words_, Clock::now()});
        } else {
            const std::string models =
                R"({"object":"list","data":[{"id":"mock","object":"model","max_model_len":32000}]})";
            write_all(socket, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                                  std::to_string(models.size()) + "\r\n\r\n" + models);
        }
    }

    // All pause equally long, so who spoke last is due last.
    void speak() {
        while (!speakers_.empty() && speakers_.front().next <= Clock::now()) {
            Speaker speaker = speakers_.front();
            speakers_.pop_front();
            if (speaker.words_left-- == 0) {
                write_all(speaker.socket,
                          chunked(event("{}", "\"stop\"") +
                                  R"(data: {"id":"c","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":10,)"
                                  R"("total_tokens":110}})"
                                  "\n\ndata: [DONE]\n\n") +
                              "0\r\n\r\n");
                continue;
            }
            const std::string word = "t:" + std::to_string(Clock::now().time_since_epoch().count()) + " ";
            write_all(speaker.socket, chunked(event(R"({"content":")" + word + "\"}", "null")));
            speaker.next += pause_;
            speakers_.push_back(speaker);
        }
    }

    // The readers connect and ask, all at once.
    void begin() {
        int port = 0;
        std::size_t count = 0;
        if (!(std::cin >> port >> count)) {
            stopped_ = true;
            return;
        }
        listeners_.clear();
        milliseconds_.clear();
        begun_ = ended_ = tokens_ = 0;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (std::string path; listeners_.size() < count && std::cin >> path;) {
            const int socket = demand(::socket(AF_INET, SOCK_STREAM, 0), "socket");
            demand(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
            const std::string body = path.starts_with("/v1/agents") ? R"({"input":"hello","stream_tokens":true})"
                                                                    : R"({"model":"mock","messages":[],"stream":true})";
            listeners_[socket];
            watch(socket);
            write_all(socket, "POST " + path +
                                  " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
                                  std::to_string(body.size()) + "\r\n\r\n" + body);
        }
    }

    void listen(int socket, Listener& listener) {
        constexpr std::string_view mark = "\"content\":\"t:";
        const std::string more = read_some(socket);
        const auto now = Clock::now().time_since_epoch().count();
        listener.text += more;
        std::size_t at = 0, done = 0;
        while ((at = listener.text.find(mark, done)) != std::string::npos &&
               listener.text.find(' ', at) != std::string::npos) {
            done = at + mark.size();
            const long long sent = std::stoll(listener.text.substr(done, 24));
            if (!std::exchange(listener.begun, true)) ++begun_;
            ++tokens_;
            if (begun_ == listeners_.size() && ended_ == 0)
                milliseconds_.push_back(static_cast<double>(now - sent) / 1e6);
        }
        const bool over = more.empty() || listener.text.find("data: [DONE]") != std::string::npos;
        listener.text.erase(
            0, std::max(done, listener.text.size() < mark.size() ? 0 : listener.text.size() - mark.size()));
        if (over) end(socket, listener);
    }

    void end(int socket, Listener& listener) {
        if (std::exchange(listener.ended, true)) return;
        ::epoll_ctl(poller_, EPOLL_CTL_DEL, socket, nullptr);
        ::close(socket);
        if (ended_++ == 0) std::puts("over");
        if (ended_ == listeners_.size()) report();
        std::fflush(stdout);
    }

    void report() {
        std::sort(milliseconds_.begin(), milliseconds_.end());
        const auto at = [&](double part) {
            const double last = static_cast<double>(milliseconds_.size()) - 1;
            return milliseconds_.empty() ? 0.0 : milliseconds_[static_cast<std::size_t>(part * last)];
        };
        std::printf("%zu %zu %.3f %.3f %.3f\n", tokens_, milliseconds_.size(), at(0.5), at(0.99), at(1));
    }

    int poller_ = -1, acceptor_ = -1, port_ = 0;
    const int words_;
    const std::chrono::milliseconds pause_;
    bool stopped_ = false;
    std::map<int, std::string> requests_;  ///< to the model, by socket: what has come of one
    std::deque<Speaker> speakers_;         ///< who is due first, first
    std::map<int, Listener> listeners_;    ///< by socket
    std::vector<double> milliseconds_;
    std::size_t begun_ = 0, ended_ = 0, tokens_ = 0;
};

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("Token streams");
    int words = 300, token_ms = 20;
    app.add_option("--words", words, "of each answer");
    app.add_option("--token-ms", token_ms, "between two words");
    CLI11_PARSE(app, argument_count, arguments);
    std::ios::sync_with_stdio(false);
    Bench bench(words, std::chrono::milliseconds(token_ms));
    std::printf("%d\n", bench.port());
    std::fflush(stdout);
    bench.run();
}
