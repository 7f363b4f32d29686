#pragma once

#include "llm/provider.hpp"

namespace stele::llm {

/// `stele/offline`: answers without any network, by rules (offline_rules.hpp). For a first talk, for tests and for
/// demonstrations; named for what it is. The same request gives the same answer, but for the ids of calls.
class OfflineModel final : public Provider {
public:
    boost::asio::awaitable<ModelAnswer> complete(ModelRequest request, DeltaSink* sink) override;
    std::string request_json(const ModelRequest& request, bool stream) const override;
    bool can_summarise() const override { return false; }
};

}  // namespace stele::llm
