#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace stele::storage {

/// Hands jobs from any thread to those that work on them. Bounded. Thread-safe.
template <class Job>
class WorkQueue {
public:
    explicit WorkQueue(std::size_t jobs_max) : jobs_max_(jobs_max) {}

    /// False, and `job` untouched, if the queue is full or closed.
    bool push(Job&& job) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_ || jobs_.size() >= jobs_max_) return false;
            jobs_.push_back(std::move(job));
        }
        arrived_.notify_one();
        return true;
    }

    /// Waits for work, for ever or at most for `patience`, and moves up to `count` jobs into `into`. False once the
    /// queue is closed and empty.
    bool take(std::vector<Job>& into, std::size_t count,
              std::optional<std::chrono::milliseconds> patience = std::nullopt) {
        std::unique_lock lock(mutex_);
        const auto ready = [&] { return closed_ || !jobs_.empty(); };
        if (patience)
            arrived_.wait_for(lock, *patience, ready);
        else
            arrived_.wait(lock, ready);
        while (!jobs_.empty() && into.size() < count) {
            into.push_back(std::move(jobs_.front()));
            jobs_.pop_front();
        }
        return !into.empty() || !closed_;
    }

    /// Takes no more; what is queued is still handed out.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        arrived_.notify_all();
    }

private:
    const std::size_t jobs_max_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Job> jobs_;
    bool closed_ = false;
};

}  // namespace stele::storage
