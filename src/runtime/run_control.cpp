#include "runtime/run_control.hpp"

#include <boost/asio/post.hpp>

namespace stele::runtime {

void RunControl::cancel() {
    if (cancelled_.exchange(true)) return;
    boost::asio::post(executor_,
                      [self = shared_from_this()] { self->signal_.emit(boost::asio::cancellation_type::terminal); });
}

void RunControl::throw_if_cancelled() const {
    if (cancelled_) throw Error(ErrorCode::cancelled, "The run was cancelled");
}

}  // namespace stele::runtime
