#pragma once

#include "llm/catalogue.hpp"
#include "runtime/tool_service.hpp"

namespace stele::runtime {

/// Has a model write a tool's source for a wish in words. Outlived by what it refers to; thread-safe.
class ToolWriter {
public:
    /// `fallback_model`: asked where the request names none and the API's default is not to be had.
    ToolWriter(llm::Catalogue& catalogue, const ToolService& tools, std::string fallback_model)
        : catalogue_(catalogue), tools_(tools), fallback_model_(std::move(fallback_model)) {}

    /// The tool with arguments to try it with; nothing is stored and nothing run. Throws Error{not_found} for an
    /// unknown model, Error{model_failed} for one that does not answer in the form that was asked for,
    /// Error{invalid_argument} for a source that tells too little: then the caller asks again with the reason in
    /// `validation_errors`.
    boost::asio::awaitable<GenerateToolOutput> write(std::string organization_id, std::string user_id,
                                                     GenerateToolInput wanted) const;

private:
    boost::asio::awaitable<llm::ResolvedModel> model_for(std::string organization_id,
                                                         std::optional<std::string> handle) const;

    llm::Catalogue& catalogue_;
    const ToolService& tools_;
    const std::string fallback_model_;
};

}  // namespace stele::runtime
