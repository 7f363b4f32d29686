#include "runtime/wait_graph.hpp"

#include <algorithm>
#include <unordered_set>

namespace stele::runtime {

std::optional<WaitGraph::Wait> WaitGraph::begin(const std::string& waiting, const std::string& awaited) {
    const std::lock_guard lock(mutex_);
    if (leads(awaited, waiting)) return std::nullopt;
    awaited_by_[waiting].push_back(awaited);
    return Wait(*this, waiting, awaited);
}

bool WaitGraph::leads(const std::string& from, const std::string& to) const {
    std::vector<const std::string*> open{&from};
    std::unordered_set<std::string_view> seen{from};
    while (!open.empty()) {
        const std::string& next = *open.back();
        open.pop_back();
        if (next == to) return true;
        const auto found = awaited_by_.find(next);
        if (found == awaited_by_.end()) continue;
        for (const std::string& each : found->second)
            if (seen.insert(each).second) open.push_back(&each);
    }
    return false;
}

void WaitGraph::end(const std::string& waiting, const std::string& awaited) {
    const std::lock_guard lock(mutex_);
    const auto found = awaited_by_.find(waiting);
    found->second.erase(std::find(found->second.begin(), found->second.end(), awaited));
    if (found->second.empty()) awaited_by_.erase(found);
}

}  // namespace stele::runtime
