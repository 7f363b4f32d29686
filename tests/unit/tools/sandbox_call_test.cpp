// What an author of tools can rely on, through the real fork-server.
#include "tests/unit/tools/sandbox_support.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
using test::call_of;
using test::Room;

struct SandboxCalls : ::testing::Test {
    void SetUp() override { STELE_NEEDS_WALLS(); }
    Room room;
};

TEST_F(SandboxCalls, GiveAnyJsonValueBack) {
    const std::pair<const char*, const char*> cases[] = {
        {"1 + 2", "3"},
        {"[1, 'a', None]", "[1, \"a\", null]"},
        {"None", "null"},
        {"1.0", "1.0"},
        {"float('nan')", "\"nan\""},
        {"{1: (2,)}", "{\"1\": [2]}"},
        {"True", "true"},
        {"'\\u00e4'", "\"\u00e4\""},
        {"2**70", "\"1180591620717411303424\""},
        {"'\\ud800'", "\"?\""},
        {"b'x'", "\"b'x'\""},
    };
    for (const auto& [expression, json] : cases) {
        const SandboxResult result = room.call(std::string("def f():\n    return ") + expression);
        EXPECT_TRUE(result.ok) << expression << ": " << result.error_message;
        EXPECT_EQ(result.value_json, json) << expression;
    }
}

TEST_F(SandboxCalls, FitArgumentsToAnnotations) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {"int", R"("4")", "4"},
        {"float", R"(4)", "4.0"},
        {"bool", R"("false")", "false"},
        {"list[int]", R"("[1, 2]")", "[1, 2]"},
        {"str", R"("{\"a\": 1}")", R"("{\"a\": 1}")"},  // a text stays the text it is
        {"str", R"("1e3")", R"("1e3")"},
        {"dict", R"("{'a': 1}")", R"({"a": 1})"},
        {"'int | None'", R"("7")", "7"},
        {"tuple[int, str]", R"(["1", "2"])", R"([1, "2"])"},
        {"int", R"("many")", R"("many")"},
    };
    for (const auto& [hint, given, expected] : cases) {
        const SandboxResult result =
            room.call(std::string("def f(a: ") + hint + "):\n    return a", std::string(R"({"a":)") + given + "}");
        EXPECT_EQ(result.value_json, expected) << hint << " " << given << " " << result.error_message;
    }
}

TEST_F(SandboxCalls, DropArgumentsThatTheSchemaDoesNotName) {
    SandboxCall call = call_of("def f(a):\n    return a", R"({"a": 1, "b": 2})");
    call.json_schema = R"({"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}})";

    EXPECT_EQ(room.call(call).value_json, "1");
}

TEST_F(SandboxCalls, TellTheClassAndTheTextOfAFailure) {
    const SandboxResult result = room.call("def f():\n    print('before')\n    1 / 0\n");

    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.error_type, "ZeroDivisionError");
    EXPECT_EQ(result.error_message, "division by zero");
    EXPECT_EQ(result.out, "before\n");
    EXPECT_NE(result.err.find("ZeroDivisionError"), std::string::npos);
    EXPECT_NE(result.err.find("1 / 0"), std::string::npos) << "the author's own line";
    EXPECT_EQ(result.err.find("tool_call"), std::string::npos) << "none of ours";
}

TEST_F(SandboxCalls, HoldExitsForFailures) {
    EXPECT_EQ(room.call("import sys\ndef f():\n    sys.exit(3)").error_type, "SystemExit");
    EXPECT_EQ(room.call("def f():\n    raise KeyboardInterrupt").error_type, "KeyboardInterrupt");
    const SandboxResult gone = room.call("import os\ndef f():\n    os._exit(3)");
    EXPECT_EQ(gone.error_type, "Crash");
    EXPECT_NE(gone.error_message.find("exit code 3"), std::string::npos);
    EXPECT_EQ(room.call("import os\ndef f():\n    os.abort()").error_type, "Crash");
    EXPECT_EQ(room.call("def f(:").error_type, "SyntaxError");
    EXPECT_EQ(room.call("def g(): pass").error_type, "NameError");
    EXPECT_TRUE(room.call("import sys\ndef f():\n    print('odd', file=sys.stderr)").ok);
}

TEST_F(SandboxCalls, AwaitAsyncFunctions) {
    const SandboxResult result = room.call(
        "import asyncio\nasync def f(a: int):\n    await asyncio.sleep(0)\n    return {'a': a}", R"({"a": 2})");

    EXPECT_EQ(result.value_json, R"({"a": 2})") << result.error_message << result.err;
}

TEST_F(SandboxCalls, SeeOnlyTheEnvironmentThatIsTheirs) {
    ::setenv("STELE_TEST_SECRET", "hidden", 1);
    SandboxCall call = call_of(
        "import os\ndef f():\n    return [os.environ.get(n) for n in"
        " ('KEY', 'HOME', 'LETTA_AGENT_ID', 'STELE_TEST_SECRET')]");
    call.environment = {{"KEY", "first"}, {"KEY", "second"}, {"LETTA_AGENT_ID", "forged"}};
    call.agent_id = "agent-1";

    EXPECT_EQ(room.call(call).value_json, R"(["second", "/tmp", "agent-1", null])");
}

TEST_F(SandboxCalls, ChangeBlocksThroughTheAgentState) {
    SandboxCall call = call_of(
        "def f(agent_state, agent_id):\n"
        "    m = agent_state.memory\n"
        "    old = m.get_block('human').value\n"
        "    m.update_block_value('human', old + '!')\n"
        "    return [agent_id, agent_state.name, m.list_block_labels()]");
    call.agent_id = "agent-1";
    call.agent_state_json = R"({"id":"agent-1","name":"Ada","memory":{"blocks":[
        {"label":"human","value":"Bo"},{"label":"persona","value":"calm"}]}})";
    const SandboxResult result = room.call(call);

    EXPECT_EQ(result.value_json, R"(["agent-1", "Ada", ["human", "persona"]])") << result.err;
    ASSERT_EQ(result.block_values.size(), 1u);
    EXPECT_EQ(result.block_values[0], std::make_pair(std::string("human"), std::string("Bo!")));
}

TEST_F(SandboxCalls, WithoutAnAgentHaveNoState) {
    EXPECT_EQ(room.call("def f(agent_state):\n    return agent_state is None and client is None").value_json, "true");
}

TEST_F(SandboxCalls, RunAWholeTextAsAProgram) {
    SandboxCall call = call_of("if __name__ == '__main__':\n    print(6 * 7)");
    call.program.emplace();

    EXPECT_EQ(room.call(call).out, "42\n");
}

TEST_F(SandboxCalls, KeepNothingFromOneToTheNext) {
    EXPECT_TRUE(room.call("import os, builtins\ndef f():\n    builtins.left = 1\n    os.environ['LEFT'] = '1'\n"
                          "    open('/tmp/left', 'w').write('1')\n    open('/dev/shm/left', 'w').write('1')")
                    .ok);

    EXPECT_EQ(room.call("import os, builtins\ndef f():\n    return [hasattr(builtins, 'left'), 'LEFT' in os.environ,"
                        " os.listdir('/tmp'), os.listdir('/dev/shm')]")
                  .value_json,
              "[false, false, [], []]");
}

TEST_F(SandboxCalls, EndAtTheirTimeLimit) {
    SandboxCall call = call_of("import time\ndef f():\n    print('started', flush=True)\n    time.sleep(1000)");
    SandboxResult result;
    call.time_limit = std::chrono::milliseconds(300);
    for (; result.out.empty() && call.time_limit < std::chrono::seconds(30); call.time_limit *= 2)
        result = room.call(call);  // on a busy machine it takes longer to begin

    EXPECT_EQ(result.error_type, "Timeout");
    EXPECT_NE(result.error_message.find("The tool timed out after "), std::string::npos);
    EXPECT_EQ(result.out, "started\n");
    EXPECT_TRUE(room.call("def f(): return 1").ok);
}

TEST_F(SandboxCalls, AreKilledByCancellation) {
    asio::cancellation_signal cancel;
    std::exception_ptr failure;
    bool done = false;
    const std::string seconds = Room::seconds_of_this_test();
    asio::co_spawn(
        room.io(),
        room.sandbox().call(call_of("import subprocess\ndef f():\n    subprocess.run(['sleep', '" + seconds + "'])")),
        asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown, SandboxResult) {
            failure = thrown;
            done = true;
        }));
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    const auto before = [&] { return std::chrono::steady_clock::now() < until; };
    while (Room::processes_with(seconds) == 0 && before()) room.io().run_one_for(std::chrono::milliseconds(10));
    ASSERT_GT(Room::processes_with(seconds), 0);
    cancel.emit(asio::cancellation_type::terminal);
    while (!done && before()) room.io().run_one_for(std::chrono::milliseconds(10));
    while (Room::processes_with(seconds) > 0 && before()) room.io().run_one_for(std::chrono::milliseconds(10));

    EXPECT_TRUE(done && failure);
    EXPECT_EQ(Room::processes_with(seconds), 0);
}

TEST_F(SandboxCalls, DeriveASchemaWithoutRunningTheSource) {
    room.io().restart();
    auto schema = asio::co_spawn(
        room.io(),
        room.sandbox().derive_schema(
            "raise SystemExit\ndef f(a: int):\n    \"\"\"Adds.\n\n    Args:\n        a (int): a number\n    \"\"\"\n",
            "python", ""),
        asio::use_future);
    while (schema.wait_for(std::chrono::seconds(0)) != std::future_status::ready) room.io().run_one();
    EXPECT_NE(schema.get().find(R"("name":"f")"), std::string::npos);

    auto refused = asio::co_spawn(room.io(), room.sandbox().derive_schema("x = 1", "python", ""), asio::use_future);
    while (refused.wait_for(std::chrono::seconds(0)) != std::future_status::ready) room.io().run_one();
    EXPECT_THROW(refused.get(), Error);
}

TEST_F(SandboxCalls, MayLookIntoEtc) {
    EXPECT_EQ(room.call("import os\ndef f():\n    return os.access('/etc', os.R_OK | os.X_OK)").value_json, "true");
}

TEST_F(SandboxCalls, RunTypeScriptThroughNode) {
    SandboxCall call = call_of(
        "export async function f(a, b = 1) {\n    console.log('here', process.env.KEY);\n"
        "    return { sum: a + b };\n}",
        R"({"b": 2, "a": 1})");
    call.source_type = "typescript";
    call.json_schema = R"({"parameters":{"properties":{"b":{},"a":{}},"required":["a"]}})";
    call.environment = {{"KEY", "value"}};
    const SandboxResult result = room.call(call);
    if (result.error_type == "Unavailable") GTEST_SKIP() << result.error_message;

    EXPECT_EQ(result.value_json, R"({"sum":3})") << result.error_type << result.error_message << result.err;
    EXPECT_EQ(result.out, "here value\n");
    call.source_code = "function f() { throw new RangeError('too far'); }";
    EXPECT_EQ(room.call(call).error_type, "RangeError");
    call.source_code = "import fs from 'node:fs';\nconst f = () => fs.readFileSync('/etc/passwd');";
    EXPECT_EQ(room.call(call).error_type, "Error");
    call.function = "f }; import fs from 'node:fs'; export { f";
    EXPECT_EQ(room.call(call).error_type, "TypeError");
}

TEST(SandboxWithoutWalls, RunsTheSameCallsWhenItIsAskedForByName) {
    SandboxOptions options;
    options.walls = Walls::none;
    Room room(options);
    const SandboxResult result =
        room.call("import os\ndef f(a: int):\n    return [a + 1, os.getpid() > 1]", R"({"a": 1})");

    EXPECT_EQ(result.value_json, "[2, true]") << result.error_message << result.err;
}

TEST(SandboxThatCannotStart, SaysWhatToDo) {
    SandboxOptions options;
    options.python = "/usr/bin/no-such-python";
    Room room(options);
    const SandboxResult result = room.call("def f(): return 1");

    EXPECT_EQ(result.error_type, "Unavailable");
    EXPECT_FALSE(room.sandbox().unavailable_reason().empty());
    EXPECT_TRUE(!test::no_walls_here().empty() || result.error_message.find("tools_python") != std::string::npos)
        << result.error_message;
}

TEST(ForkServers, ThatAreIdleForLongEndByThemselves) {
    STELE_NEEDS_WALLS();
    SandboxOptions options;
    options.idle_time = std::chrono::seconds(1);
    options.python = "/usr/bin/../bin/python3";  // so that this test's own processes are known by it
    test::Room room(options);
    ASSERT_TRUE(room.call("def f(): return 1").ok);
    ASSERT_GT(test::Room::processes_with(options.python), 0);

    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (test::Room::processes_with(options.python) > 0 && std::chrono::steady_clock::now() < until)
        room.io().run_one_for(std::chrono::milliseconds(20));

    EXPECT_EQ(test::Room::processes_with(options.python), 0);
    EXPECT_TRUE(room.call("def f(): return 1").ok) << "and the next call starts another";
}

}  // namespace
}  // namespace stele::tools
