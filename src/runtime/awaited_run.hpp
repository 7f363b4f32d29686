#pragma once

#include "runtime/runtime.hpp"

namespace stele::runtime {

/// A run that somebody waits for: cancelled if that is given up, since its answer is for nobody then. `runtime`
/// outlives it.
class AwaitedRun {
public:
    AwaitedRun() = default;
    AwaitedRun(Runtime& runtime, std::shared_ptr<RunLog> run_log) : runtime_(&runtime), log_(std::move(run_log)) {}
    AwaitedRun(AwaitedRun&&) = default;
    AwaitedRun& operator=(AwaitedRun&& other) noexcept {
        std::swap(runtime_, other.runtime_);
        std::swap(log_, other.log_);
        return *this;
    }
    ~AwaitedRun() {
        if (log_ && !log_->ended()) runtime_->cancel_soon(log_->run_id());
    }

    const std::shared_ptr<RunLog>& log() const { return log_; }

private:
    Runtime* runtime_ = nullptr;
    std::shared_ptr<RunLog> log_;
};

}  // namespace stele::runtime
