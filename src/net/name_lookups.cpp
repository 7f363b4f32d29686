#include "net/name_lookups.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace stele::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::vector<tcp::endpoint> ask_system(const std::string& host, const std::string& port,
                                      boost::system::error_code& failure) {
    asio::io_context io;
    std::vector<tcp::endpoint> endpoints;
    for (const auto& entry : tcp::resolver(io).resolve(host, port, failure)) endpoints.push_back(entry.endpoint());
    return endpoints;
}

void carry_out(LookupAnswer& answer, const std::string& host, const std::string& port,
               const NameLookups::LookUp& look_up) {
    {
        const std::lock_guard lock(answer.mutex);
        if (!answer.arrived) return;
    }
    boost::system::error_code failure;
    std::vector<tcp::endpoint> endpoints;
    if (look_up)
        for (const auto& each : look_up(host))
            endpoints.emplace_back(each, static_cast<std::uint16_t>(std::stoi(port)));
    else
        endpoints = ask_system(host, port, failure);
    const std::lock_guard lock(answer.mutex);
    answer.failure = failure;
    answer.endpoints = std::move(endpoints);
    // Under the mutex: whoever waits can't be gone before this has returned.
    if (answer.arrived) answer.arrived();
}

}  // namespace

void NameLookups::begin(std::shared_ptr<LookupAnswer> answer, std::string host, std::string port) {
    std::call_once(ready_, [this] { threads_.emplace(threads_max); });
    asio::post(*threads_, [this, answer = std::move(answer), host = std::move(host), port = std::move(port)] {
        carry_out(*answer, host, port, look_up_);
    });
}

}  // namespace stele::net
