// Each test is an attack of a tool on the server or on other calls; after each the next call works.
#include "tests/unit/tools/sandbox_support.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <netinet/in.h>

#include <fstream>

namespace stele::tools {
namespace {

namespace fs = std::filesystem;
using test::call_of;
using test::Room;

struct Attack : ::testing::Test {
    void SetUp() override {
        STELE_NEEDS_WALLS();
        ASSERT_TRUE(room.call("def f(): return 1").ok);
    }
    void TearDown() override {
        if (!test::no_walls_here().empty()) return;
        const SandboxResult next = room.call("def f(a: int):\n    return a + 1", R"({"a": 1})");
        EXPECT_EQ(next.value_json, "2") << "the next call: " << next.error_type << " " << next.error_message
                                        << next.err;
    }

    // The value, or class and text of the failure.
    std::string outcome(const SandboxCall& call) {
        last = room.call(call);
        return last.ok ? last.value_json : last.error_type + ": " + last.error_message;
    }
    std::string outcome(const std::string& source) { return outcome(call_of(source)); }

    // Reads the files that the pattern finds, and tells which could be read.
    std::string readable(const std::string& pattern) {
        return outcome("import glob\ndef f():\n    found = []\n    for path in glob.glob('" + pattern +
                       "'):\n"
                       "        try:\n            open(path, 'rb').read(1)\n            found.append(path)\n"
                       "        except OSError: pass\n    return found");
    }

    Room room;
    SandboxResult last;
};

TEST_F(Attack, OnFilesOfTheMachine) {
    EXPECT_EQ(readable("/root/*"), "[]");
    EXPECT_EQ(readable("/home/*/*"), "[]");
    EXPECT_EQ(readable("/etc/passwd"), "[]");
    EXPECT_EQ(readable("/etc/shadow"), "[]");
    EXPECT_EQ(readable("/var/*"), "[]");
    EXPECT_EQ(readable(fs::path(STELE_SOURCE_DIR).string() + "/*"), "[]");
    EXPECT_EQ(
        outcome("import os\ndef f():\n    return sorted(set(os.listdir('/')) - {'bin', 'dev', 'etc', 'lib', 'lib32',"
                " 'lib64', 'proc', 'sbin', 'tmp', 'usr'})"),
        "[]");
}

TEST_F(Attack, OnWritingAnywhereButTmp) {
    EXPECT_EQ(
        outcome("import os\ndef f():\n    written = []\n"
                "    for folder in ['/', '/usr', '/usr/lib', '/etc', '/dev', '/proc', '/bin', '/usr/local', '/env']:\n"
                "        try:\n            open(folder + '/x', 'w').close()\n            written.append(folder)\n"
                "        except OSError: pass\n    return written"),
        "[]");
}

TEST_F(Attack, OnTheServersEnvironmentAndProcesses) {
    ::setenv("STELE_TEST_SECRET", "hidden-in-the-server", 1);
    EXPECT_EQ(outcome("import glob\ndef f():\n    text = b''\n    for path in glob.glob('/proc/[0-9]*/environ') +"
                      " glob.glob('/proc/[0-9]*/cmdline'):\n        text += open(path, 'rb').read()\n"
                      "    return b'hidden-in-the-server' in text or b'tools_test' in text"),
              "false");
    EXPECT_EQ(outcome("import os\ndef f():\n    return [p for p in os.listdir('/proc') if p.isdigit()]"), R"(["1"])")
        << "a call sees its own processes alone";
    EXPECT_EQ(outcome("import os\ndef f():\n    return len(os.listdir('/proc/self/fd')) <= 5"), "true")
        << "no descriptor but the call's own is there";
    EXPECT_EQ(outcome("def f():\n    return open('/proc/self/mem', 'rb') and"
                      " b'hidden-in-' + b'the-server' in open('/proc/self/environ', 'rb').read()"),
              "false");
}

TEST_F(Attack, OnOtherCallsOfTheSameOrganization) {
    // One call keeps a file and a process while another looks for them.
    EXPECT_EQ(outcome("import os\ndef f():\n    return [os.getppid(), os.listdir('/tmp'), os.listdir('/dev/shm')]"),
              "[0, [], []]");
    EXPECT_EQ(
        outcome(
            "import glob\ndef f():\n    return [m for m in open('/proc/sysvipc/shm').read().split(chr(10))[1:] if m]"),
        "[]");
}

TEST_F(Attack, OnTheNetwork) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::listen(listener, 4);
    socklen_t length = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    const std::string port = std::to_string(ntohs(address.sin_port));
    EXPECT_EQ(
        outcome(
            "import socket\ndef f():\n    reached = []\n"
            "    for host, port in [('127.0.0.1', " +
            port + "), ('localhost', " + port + "), ('2130706433', " + port +
            "),"
            " ('169.254.169.254', 80), ('10.0.0.1', 80), ('::ffff:127.0.0.1', " +
            port +
            "), ('1.1.1.1', 53)]:\n"
            "        try:\n            socket.create_connection((host, port), 2)\n            reached.append(host)\n"
            "        except OSError: pass\n    return reached"),
        "[]");
    ::close(listener);
    for (const char* family : {"socket.AF_VSOCK", "socket.AF_PACKET", "socket.AF_NETLINK", "socket.AF_ALG"})
        EXPECT_NE(outcome(std::string("import socket\ndef f():\n    socket.socket(") + family + ", socket.SOCK_RAW)")
                      .find("Error"),
                  std::string::npos)
            << family;
}

// Lines of a tool: what the proxy answers to a tunnel and to a plain request for `url`.
constexpr char ask_proxy[] =
    "import socket\n"
    "def ask(head):\n"
    "    with socket.create_connection(('127.0.0.1', 3128), 20) as proxy:\n"
    "        proxy.sendall(head.encode())\n"
    "        return proxy.makefile('rb').readline().decode().split()[1]\n"
    "def f(host: str, port: int):\n"
    "    return [ask(f'CONNECT {host}:{port} HTTP/1.1\\r\\n\\r\\n'),"
    " ask(f'GET http://{host}:{port}/ HTTP/1.1\\r\\nHost: example.org\\r\\n\\r\\n')]\n";

TEST_F(Attack, OnPrivateAddressesThroughTheProxy) {
    for (const char* host :
         {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
          "[64:ff9b::7f00:1]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
          "[fe80::1]", "[fd00::1]", "224.0.0.1", "255.255.255.255", "localhost."})
        EXPECT_EQ(outcome(call_of(ask_proxy, std::string(R"({"host": ")") + host + R"(", "port": 80})")).find("200"),
                  std::string::npos)
            << host << " " << last.value_json << last.error_message;
    EXPECT_EQ(last.value_json.substr(0, 2), "[\"") << last.error_type << last.error_message << last.err;
}

TEST_F(Attack, ByForking) {
    EXPECT_EQ(outcome("import os, time\ndef f():\n    made = 0\n    try:\n        while made < 10000:\n"
                      "            if os.fork() == 0: time.sleep(1000)\n            made += 1\n"
                      "    except OSError: return made < 100\n    return made"),
              "true");
}

TEST_F(Attack, ByForkingWithoutEnd) {
    SandboxCall call =
        call_of("import os\ndef f():\n    while True:\n        try: os.fork()\n        except OSError: pass");
    call.time_limit = std::chrono::seconds(2);

    EXPECT_EQ(outcome(call).substr(0, 7), "Timeout");
}

TEST_F(Attack, OnMemory) {
    EXPECT_EQ(outcome("def f():\n    x = []\n    while True: x.append(bytearray(1 << 26))").substr(0, 11),
              "MemoryError");
}

TEST_F(Attack, OnTheDisk) {
    EXPECT_EQ(
        outcome("def f():\n    with open('/tmp/big', 'wb') as file:\n        while True: file.write(bytes(1 << 20))")
            .substr(0, 7),
        "OSError");
    EXPECT_EQ(outcome("def f():\n    for n in range(10**6): open(f'/tmp/{n}', 'w').close()").substr(0, 7), "OSError");
}

TEST_F(Attack, ByAGigabyteOfOutput) {
    outcome(
        "import os\ndef f():\n    block = b'x' * (1 << 20)\n    for _ in range(1 << 10): os.write(1, block)\n"
        "    print('the end')");

    EXPECT_TRUE(last.ok) << last.error_message;
    EXPECT_LE(last.out.size(), (1u << 20) + 100);
    EXPECT_EQ(last.out[0], 'x');
    EXPECT_TRUE(last.out.ends_with("the end\n"));
}

TEST_F(Attack, BySymbolicLinks) {
    EXPECT_EQ(
        outcome("import os\ndef f():\n    os.symlink('/proc/1/root/etc/passwd', '/tmp/a')\n"
                "    os.symlink('../../../../../../etc/passwd', '/tmp/b')\n    found = []\n"
                "    for path in ['/tmp/a', '/tmp/b', '/proc/self/root/etc/passwd', '/proc/1/cwd/../etc/passwd']:\n"
                "        try:\n            open(path)\n            found.append(path)\n        except OSError: pass\n"
                "    return found"),
        "[]");
}

TEST_F(Attack, OnTheParent) {
    outcome(
        "import os, signal\ndef f():\n    for process in (os.getppid(), 0, -1, 1, 2, 3):\n"
        "        for kind in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):\n"
        "            try: os.kill(process, kind)\n            except OSError: pass");
    outcome("import os\ndef f():\n    os.killpg(0, 9)");
}

TEST_F(Attack, ByNewNamespacesAndMounts) {
    EXPECT_EQ(
        outcome(
            "import ctypes\ndef f():\n    c = ctypes.CDLL(None, use_errno=True)\n    return [c.unshare(0x10000000),"
            " c.unshare(0x20000), c.mount(b'x', b'/tmp', b'tmpfs', 0, 0), c.umount2(b'/proc', 2), c.chroot(b'/tmp'),"
            " c.ptrace(16, 1, 0, 0), c.setuid(0), c.sethostname(b'x', 1), c.syscall(435, 0, 0)]"),
        "[-1, -1, -1, -1, -1, -1, -1, -1, -1]");
    EXPECT_EQ(
        outcome("def f():\n    status = open('/proc/self/status').read()\n"
                "    return [line.split()[1] for line in status.split(chr(10)) if line.startswith(('CapEff', 'CapBnd',"
                " 'NoNewPrivs', 'Seccomp:'))]"),
        R"(["0000000000000000", "0000000000000000", "1", "2"])");
}

TEST_F(Attack, ByArgumentsThatLookLikeCode) {
    const std::string text = R"x("'); import os; os.system('touch /tmp/owned') #\n\"\"\"{}__import__('os')")x";
    EXPECT_EQ(
        outcome(call_of("import os\ndef f(a: str):\n    return [a, os.listdir('/tmp')]", "{\"a\": " + text + "}")),
        "[" + text + ", []]");
    const std::string expression = R"x("__import__('os').system('touch /tmp/owned')")x";
    EXPECT_EQ(outcome(call_of("import os\ndef f(a: list):\n    return [a, os.listdir('/tmp')]",
                              "{\"a\": " + expression + "}")),
              "[" + expression + ", []]");
    SandboxCall named = call_of("def f(): return 1");
    named.function = "f(); import os; os._exit(1)";
    EXPECT_EQ(outcome(named).substr(0, 9), "NameError");
    SandboxCall keyed = call_of("def f(**all): return sorted(all)", R"x({"a=1); import os #": 1})x");
    EXPECT_EQ(outcome(keyed), R"x(["a=1); import os #"])x");
}

TEST_F(Attack, ByPickledForgedAndOversizeAnswers) {
    EXPECT_EQ(
        outcome("class P:\n    def __reduce__(self): return (print, ('x',))\ndef f():\n    return P()").substr(0, 11),
        "\"<tool.P ob");
    // A frame of its own making is an answer of this call at most, never anything but data.
    const std::string frame = "import os, pickle, struct\ndef send(data):\n    os.write(3, data)\n    os._exit(0)\n";
    EXPECT_EQ(outcome(frame +
                      "def f():\n    data = pickle.dumps({'ok': True})\n    send(struct.pack('!I', len(data)) + data)")
                  .substr(0, 5),
              "Crash");
    EXPECT_EQ(outcome(frame + "def f():\n    send(struct.pack('!I', 0xffffffff))").substr(0, 14), "ResultTooLarge");
    EXPECT_EQ(outcome(frame + "def f():\n    send(struct.pack('!I', 100) + b'{')").substr(0, 5), "Crash");
    EXPECT_EQ(outcome(frame + "def f():\n    data = b'[' * 100000\n    send(struct.pack('!I', len(data)) + data)")
                  .substr(0, 5),
              "Crash");
    EXPECT_EQ(outcome(frame + "def f():\n    data = b'{\"ok\": true, \"result\": \"} {\"}'\n"
                              "    send(struct.pack('!I', len(data)) + data)")
                  .substr(0, 5),
              "Crash");
    EXPECT_EQ(outcome("def f():\n    return 'x' * (17 << 20)").substr(0, 14), "ResultTooLarge");
}

TEST_F(Attack, ByProcessesLeftBehind) {
    const std::string seconds = test::Room::seconds_of_this_test();
    EXPECT_EQ(outcome("import subprocess\ndef f():\n    for _ in range(3):\n        subprocess.Popen(['sleep', '" +
                      seconds + "'], start_new_session=True)\n    return 'left'"),
              "\"left\"");
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (Room::processes_with(seconds) > 0 && std::chrono::steady_clock::now() < until)
        room.io().run_one_for(std::chrono::milliseconds(10));

    EXPECT_EQ(Room::processes_with(seconds), 0);
}

TEST_F(Attack, ByClosingItsOwnStreams) {
    EXPECT_EQ(outcome("import os\ndef f():\n    os.close(3)\n    return 1").substr(0, 5), "Crash");
    EXPECT_EQ(
        outcome("import os, sys\ndef f():\n    os.close(1)\n    os.close(2)\n    sys.stdout = None\n    return 1"),
        "1");
}

}  // namespace
}  // namespace stele::tools
