#include "tools/sandbox/sandbox.hpp"

#include "base/error.hpp"

namespace stele::tools {

namespace asio = boost::asio;

class Sandbox::Impl {
public:
    SandboxOptions options;
    std::string unavailable = "The tool sandbox is not built in yet.";
};

Sandbox::Sandbox(asio::any_io_executor, SandboxOptions options) : impl_(std::make_shared<Impl>()) {
    impl_->options = std::move(options);
}

Sandbox::~Sandbox() = default;

asio::awaitable<SandboxResult> Sandbox::call(SandboxCall) {
    SandboxResult result;
    result.error_type = "Unavailable";
    result.error_message = unavailable_reason();
    co_return result;
}

asio::awaitable<std::string> Sandbox::derive_schema(std::string, std::string, std::string) {
    throw Error(ErrorCode::unavailable, unavailable_reason());
    co_return std::string();
}

std::string Sandbox::unavailable_reason() const { return impl_->unavailable; }

void Sandbox::probe() {}

void Sandbox::stop() {}

}  // namespace stele::tools
