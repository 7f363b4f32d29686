#pragma once

#include "app/options.hpp"
#include "net/server.hpp"

namespace stele::api {
class Dispatch;
}

namespace stele::app {

/// Which bodies may be too large for memory: those of the operations that say so, from senders that may send them, put
/// into the data folder. `workers` and `dispatch` outlive the server.
net::LargeBodies large_bodies(const Options& options, WorkerThreads& workers, const api::Dispatch& dispatch);

}  // namespace stele::app
