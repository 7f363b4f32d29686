#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stele::runtime {

/// Which conversations wait for an answer from which others, by the keys of their leases. A wait that would close a
/// circle is refused, so that somebody can always go on: whoever waits for nobody. Thread-safe.
class WaitGraph {
public:
    /// One wait, until destruction.
    class Wait {
    public:
        Wait(WaitGraph& graph, std::string waiting, std::string awaited)
            : graph_(&graph), waiting_(std::move(waiting)), awaited_(std::move(awaited)) {}
        Wait(Wait&& other) noexcept
            : graph_(std::exchange(other.graph_, nullptr)),
              waiting_(std::move(other.waiting_)),
              awaited_(std::move(other.awaited_)) {}
        Wait& operator=(Wait&& other) noexcept {
            std::swap(graph_, other.graph_);
            std::swap(waiting_, other.waiting_);
            std::swap(awaited_, other.awaited_);
            return *this;
        }
        ~Wait() {
            if (graph_ != nullptr) graph_->end(waiting_, awaited_);
        }

    private:
        WaitGraph* graph_;
        std::string waiting_, awaited_;
    };

    /// Lets `waiting` wait for `awaited`. Nothing if that is `waiting` itself, or waits for it, directly or over
    /// others.
    std::optional<Wait> begin(const std::string& waiting, const std::string& awaited);

private:
    bool leads(const std::string& from, const std::string& to) const;
    void end(const std::string& waiting, const std::string& awaited);

    std::mutex mutex_;
    std::unordered_map<std::string, std::vector<std::string>> awaited_by_;  ///< acyclic; no empty lists
};

}  // namespace stele::runtime
