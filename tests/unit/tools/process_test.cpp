#include "tools/sandbox/process.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <csignal>

namespace stele::tools {
namespace {

namespace asio = boost::asio;

template <class Work>
void run(Work work) {
    asio::io_context io;
    std::exception_ptr failure;
    asio::co_spawn(io, work(), [&](std::exception_ptr thrown) { failure = thrown; });
    io.run_for(std::chrono::minutes(5));
    if (failure) std::rethrow_exception(failure);
}

Command shell(const std::string& script) {
    Command command;
    command.program = "/bin/sh";
    command.arguments = {"-c", script};
    return command;
}

asio::awaitable<std::string> all_of(asio::posix::stream_descriptor& stream) {
    std::string text;
    boost::system::error_code end;
    co_await asio::async_read(stream, asio::dynamic_buffer(text), asio::redirect_error(asio::use_awaitable, end));
    co_return text;
}

TEST(PipedChild, ReadsWritesAndTellsItsExitCode) {
    int code = -1;
    std::string out, err;
    run([&]() -> asio::awaitable<void> {
        PipedChild child(co_await asio::this_coro::executor, shell("cat; echo apart >&2; exit 7"));
        co_await asio::async_write(child.in, asio::buffer("hello", 5), asio::use_awaitable);
        child.in.close();
        out = co_await all_of(child.out);
        err = co_await all_of(child.err);
        code = co_await child.child->wait();
    });

    EXPECT_EQ(out, "hello");
    EXPECT_EQ(err, "apart\n");
    EXPECT_EQ(code, 7);
}

TEST(PipedChild, InheritsNeitherEnvironmentNorDescriptors) {
    ::setenv("STELE_TEST_SECRET", "hidden", 1);
    std::string out;
    run([&]() -> asio::awaitable<void> {
        Command command = shell("env; ls /proc/self/fd | wc -l");
        command.environment = {{"GIVEN", "yes"}};
        PipedChild child(co_await asio::this_coro::executor, command);
        out = co_await all_of(child.out);
    });

    EXPECT_NE(out.find("GIVEN=yes"), std::string::npos);
    EXPECT_EQ(out.find("hidden"), std::string::npos);
    EXPECT_NE(out.find("\n4\n"), std::string::npos) << "0-2 and the folder that is listed: " << out;
}

TEST(PipedChild, IsKilledWithAllThatItStarted) {
    std::string out;
    int code = 0;
    run([&]() -> asio::awaitable<void> {
        PipedChild child(co_await asio::this_coro::executor, shell("sleep 1000 & sleep 1000"));
        child.child->kill();
        out = co_await all_of(child.out);  // its end comes only when nobody holds the pipe
        code = co_await child.child->wait();
    });

    EXPECT_EQ(code, -SIGKILL);
}

TEST(Child, IsReapedWhenItIsForgotten) {
    int id = 0;
    run([&]() -> asio::awaitable<void> {
        Child child(co_await asio::this_coro::executor, shell("sleep 1000"));
        id = child.id();
    });

    EXPECT_NE(::kill(id, 0), 0) << "neither running nor a zombie";
}

TEST(Child, ThatCannotStartNamesTheProgram) {
    Command command;
    command.program = "/no/such/program";
    asio::io_context io;

    try {
        Child child(io.get_executor(), command);
        FAIL();
    } catch (const Error& failure) {
        EXPECT_EQ(failure.code, ErrorCode::unavailable);
        EXPECT_NE(std::string(failure.what()).find("/no/such/program"), std::string::npos);
    }
}

}  // namespace
}  // namespace stele::tools
