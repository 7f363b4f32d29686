#pragma once

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

namespace stele::knowledge {

/// Values by key, the least recently used going first once all together take more than `bytes_max`. The one used last
/// stays, whatever it takes. No locks.
template <class T>
class ByteLru {
public:
    explicit ByteLru(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    std::optional<T> find(const std::string& key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return std::nullopt;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->value;
    }

    /// Stores it, or tells what it takes by now.
    void put(const std::string& key, T value, std::size_t bytes) {
        erase(key);
        entries_.push_front(Entry{key, std::move(value), bytes});
        by_key_[key] = entries_.begin();
        bytes_ += bytes;
        while (bytes_ > bytes_max_ && entries_.size() > 1) erase(std::string(entries_.back().key));
    }

    void erase(const std::string& key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return;
        bytes_ -= found->second->bytes;
        entries_.erase(found->second);
        by_key_.erase(found);
    }

    std::size_t size() const { return entries_.size(); }
    std::size_t bytes() const { return bytes_; }

private:
    struct Entry {
        std::string key;
        T value;
        std::size_t bytes = 0;
    };

    const std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<Entry> entries_;
    std::unordered_map<std::string, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace stele::knowledge
