#pragma once

#include "net/egress.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <mutex>
#include <optional>

// Inside net/ alone: how a client gets the addresses of a name.
namespace stele::net {

/// What has become of a lookup. Under its mutex, for the thread that asks may outlive whoever waits.
struct LookupAnswer {
    std::mutex mutex;
    std::function<void()> arrived;  ///< called once, from any thread; empty: nobody waits, so nobody need be asked
    boost::system::error_code failure;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;

    void forget() {
        const std::lock_guard lock(mutex);
        arrived = {};
    }
};

/// The lookups of one client. The system's resolver blocks, for ten seconds and more where the servers of a name are
/// silent, and whoever gives us a URL may see to that. So it is asked on a few threads of the client's own: those who
/// ask for the same kind of thing may have to wait for one another, the models never for somebody's images. Any thread;
/// its end waits for what is under way.
class NameLookups {
public:
    using LookUp = decltype(EgressRules::look_up);

    /// `look_up`: in place of the system's resolver, if not empty.
    explicit NameLookups(LookUp look_up) : look_up_(std::move(look_up)) {}

    /// `port`: digits.
    void begin(std::shared_ptr<LookupAnswer> answer, std::string host, std::string port);

private:
    static constexpr std::size_t threads_max = 8;

    const LookUp look_up_;
    std::once_flag ready_;
    std::optional<boost::asio::thread_pool> threads_;  ///< from the first name on
};

}  // namespace stele::net
