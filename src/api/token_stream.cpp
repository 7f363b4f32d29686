#include "api/token_stream.hpp"

#include "runtime/credentials.hpp"

#include <boost/asio/this_coro.hpp>

namespace stele::api {
namespace {

/// A writer that is closed once its token is.
class TokenWriter final : public net::BodyWriter {
public:
    TokenWriter(net::BodyWriter& writer, Timestamp until) : writer_(writer), until_(until) {}

    awaitable<void> write(std::string bytes) override {
        if (over()) throw Error(ErrorCode::cancelled, "The access token holds no more");
        co_await writer_.write(std::move(bytes));
    }
    bool closed() const override { return over() || writer_.closed(); }
    bool ending() const override { return writer_.ending(); }
    void on_close(std::function<void()> hook) override {
        hook_ = hook;
        writer_.on_close(std::move(hook));
    }

    bool over() const { return revoked_ || now() >= until_; }
    void end() {
        revoked_ = true;
        if (const auto hook = hook_) hook();
    }

private:
    net::BodyWriter& writer_;
    const Timestamp until_;
    bool revoked_ = false;
    std::function<void()> hook_;
};

awaitable<void> follow(Services& services, std::shared_ptr<const AccessToken> token, net::BodyProducer produce,
                       net::BodyWriter& writer) {
    TokenWriter guarded(writer, token->expiresAt);
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto watch = co_await services.credentials.watch(token, executor, [&guarded] { guarded.end(); });
    if (!watch) guarded.end();
    try {
        co_await produce(guarded);
    } catch (const Error&) {
        if (!guarded.over()) throw;
    }
}

}  // namespace

net::BodyProducer while_token_holds(Services& services, std::shared_ptr<const AccessToken> token,
                                    net::BodyProducer produce) {
    return [&services, token = std::move(token), produce = std::move(produce)](net::BodyWriter& writer) {
        return follow(services, token, produce, writer);
    };
}

}  // namespace stele::api
