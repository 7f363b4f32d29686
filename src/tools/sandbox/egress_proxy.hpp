#pragma once

#include "tools/sandbox/descriptor.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace stele::tools {

/// The one way out of a sandbox whose network is `public_only`: an HTTP proxy whose listening socket stands inside the
/// sandbox's network namespace, while those who answer at it are here. A socket belongs to the namespace that it was
/// made in, so nothing has to relay, and there is no other way out to find.
///
/// Resolves a name once and connects to the addresses that are public, of this very look-up.
class EgressProxy {
public:
    /// `listener` is handed over by the fork-server. Works on `executor` until destroyed.
    EgressProxy(const boost::asio::any_io_executor& executor, Descriptor listener, bool allow_private);
    ~EgressProxy();
    EgressProxy(const EgressProxy&) = delete;
    EgressProxy& operator=(const EgressProxy&) = delete;

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace stele::tools
