#include "app/large_bodies.hpp"

#include "api/dispatch.hpp"
#include "net/body_spool.hpp"

namespace stele::app {
namespace {

constexpr std::size_t bodies_at_once_max = 4;  // each is a file of up to agent_file_bytes_max

}  // namespace

net::LargeBodies large_bodies(const Options& options, WorkerThreads& workers, const api::Dispatch& dispatch) {
    net::LargeBodies made;
    made.body_bytes_max = static_cast<std::size_t>(options.agent_file_bytes_max);
    made.spool = std::make_shared<net::BodySpool>(options.data, bodies_at_once_max);
    made.workers = &workers;
    made.meant_for = [&dispatch](const net::HttpRequest& request) { return dispatch.takes_large_body(request); };
    made.admits = [&dispatch](const net::HttpRequest& request) { return dispatch.admits_large_body(request); };
    return made;
}

}  // namespace stele::app
