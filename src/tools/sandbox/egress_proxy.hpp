#pragma once

#include "net/egress.hpp"
#include "tools/sandbox/descriptor.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace stele::tools {

/// The one way out of a sandbox whose network is `public_only`: an HTTP proxy whose listening socket stands inside the
/// sandbox's network namespace, while those who answer at it are here. A socket belongs to the namespace that it was
/// made in, so nothing has to relay, and there is no other way out to find.
///
/// A name is looked up once, and what it meant then is what is connected to. What stands in a Host field, or in a
/// tunnel, does not matter: whoever is connected to is public.
class EgressProxy {
public:
    /// `listener` is handed over by the fork-server. Works on `executor` until destroyed.
    EgressProxy(const boost::asio::any_io_executor& executor, Descriptor listener, net::EgressRules rules);
    ~EgressProxy();
    EgressProxy(const EgressProxy&) = delete;
    EgressProxy& operator=(const EgressProxy&) = delete;

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace stele::tools
