"""The fork-server of one organisation and set of requirements. Started by fork_server.cpp, single-threaded for good.

Control socket (sequenced packets), from the server: one byte and four descriptors a call:
    call    stream socket: frames of u32 big endian and JSON; one request in, one answer out (tool_call.py)
    out     pipe for what is printed
    err     pipe for the rest
    watch   stream socket kept here: first the byte "P" with a pidfd of the call's process, or "E" and a text; when the
            process has ended four bytes follow: its exit code, or minus the signal that ended it
Told so, it first sends the byte "L" and a listening socket of its own network namespace, at which the server's proxy
answers. The end of the control socket ends this process, and with it its pid namespace.
"""
import array
import ctypes
import gc
import os
import select
import signal
import socket
import struct
import sys

CONTROL = 3
LIMITS = ("cpu_s", "as", "fsize", "nofile", "nproc")
PR_SET_CHILD_SUBREAPER = 36


class Walls:
    """The C part. `walled` is false for an operator who switched the walls off by name."""

    def __init__(self, path, walled, temporary):
        self.library = ctypes.PyDLL(path)
        self.walled = walled
        self.temporary = temporary.encode()

    def failed(self):
        return ctypes.c_char_p.in_dll(self.library, "walls_failed_step").value.decode()

    def done(self, result):
        if result < 0:
            raise OSError(-result, f"{self.failed()}: {os.strerror(-result)}")
        return result

    def become(self, user):
        self.done(self.library.walls_become(ctypes.c_uint(user)))

    def fork(self):
        """Process id and pidfd; 0 in the child."""
        handle = ctypes.c_int(-1)
        child = self.done(self.library.walls_fork(int(self.walled), ctypes.byref(handle)))
        return child, handle.value

    def enter(self, call, out, err):
        self.done(self.library.walls_descriptors(call, out, err))

    def close(self, limits):
        values = [limits[name] for name in LIMITS]
        if not self.walled:
            values[-1] = 2**63 - 1  # counted over all that the user runs, the server included
        self.done(self.library.walls_limits(*(ctypes.c_uint64(value) for value in values)))
        if self.walled:
            self.done(self.library.walls_close(self.temporary))


def become_nobody(walls):
    """Root takes a user id that nothing else has; in a container that has few ids, one that is hardly used."""
    if os.getuid() != 0:
        return
    for user in (1_400_000_000 + int.from_bytes(os.urandom(3), "big"), 61_000 + os.urandom(1)[0]):
        try:
            return walls.become(user)
        except OSError:
            continue


def carry_out(walls, call, out, err, run):
    """In the process of the call: nothing but os._exit ends it."""
    try:
        try:
            walls.enter(call, out, err)
            run(socket.socket(fileno=3), walls)
        except BaseException as failure:  # of ours; those of a tool are results
            os.write(2, f"sandbox: {type(failure).__name__}: {failure}\n".encode())
            os._exit(70)
    finally:
        os._exit(0)


def oversee(walls, call, out, err, watch, run):
    """Without walls nothing ends with the call's first process but that one. So this process stands over it, inherits
    whatever it leaves behind, and ends that too: when the call is over, and when the server has given it up or is gone."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            child, handle = walls.fork()
        except OSError as failure:
            return tell(watch, b"E" + str(failure).encode())
        if child == 0:
            carry_out(walls, call, out, err, run)
        keep = (2, watch.fileno(), handle)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor not in keep:
                try:
                    os.close(descriptor)
                except OSError:
                    pass  # the list's own
        socket.send_fds(watch, [b"P"], [handle])
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.register(watch, 0)  # that is: until it is hung up
        while handle not in dict(poll.poll()):
            poll.unregister(watch)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        end_children()
        tell(watch, struct.pack("!i", os.waitstatus_to_exitcode(status)))
    finally:
        os._exit(0)


def end_children():
    """Until there are none: those of one that has ended become this process's own."""
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children") as listed:
            for child in listed.read().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def tell(watch, data):
    try:
        watch.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError:
        pass  # the server has given the call up


class ForkServer:
    def __init__(self, control, walls, run, packages):
        self.packages = packages
        self.control = control
        self.walls = walls
        self.run = run
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.at_work = {}  # pidfd -> process id, watch socket

    def serve(self):
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor != self.control.fileno():
                    self.ended(descriptor)
                elif not self.begin():
                    return

    def begin(self):
        _, ancillary, _, _ = self.control.recvmsg(1, socket.CMSG_SPACE(4 * 4))
        descriptors = array.array("i")
        for _, _, data in ancillary:
            descriptors.frombytes(data[: len(data) - len(data) % 4])
        if len(descriptors) != 4:
            for descriptor in descriptors:
                os.close(descriptor)
            return False
        call, out, err = descriptors[:3]
        watch = socket.socket(fileno=descriptors[3])
        try:
            child, handle = self.walls.fork()
            if child == 0:
                if self.packages:
                    sys.path.insert(0, self.packages)
                if not self.walls.walled:
                    oversee(self.walls, call, out, err, watch, self.run)
                carry_out(self.walls, call, out, err, self.run)
            self.at_work[handle] = (child, watch)
            self.poll.register(handle, select.POLLIN)
            if self.walls.walled:
                socket.send_fds(watch, [b"P"], [handle])
        except OSError as failure:
            tell(watch, b"E" + str(failure).encode())
            watch.close()
        for descriptor in (call, out, err):
            os.close(descriptor)
        return True

    def ended(self, handle):
        child, watch = self.at_work.pop(handle)
        self.poll.unregister(handle)
        os.close(handle)
        _, status = os.waitpid(child, 0)
        tell(watch, struct.pack("!i", os.waitstatus_to_exitcode(status)))
        watch.close()


def hand_over_listener(control, port):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        socket.send_fds(control, [b"L"], [listener.fileno()])


def warm_up():
    """What most tools import, so that their calls find it loaded. Nothing here may start a thread."""
    import asyncio, base64, collections, dataclasses, datetime, decimal, enum, functools, hashlib  # noqa: E401, F401
    import inspect, itertools, json, linecache, logging, math, random, re, string, tempfile, textwrap  # noqa: E401, F401
    import time, traceback, types, typing, urllib.parse, uuid  # noqa: E401, F401


def main(arguments, run):
    """Arguments: path of the walls' library, "walled" or "open", options of the /tmp that each call gets, and the
    folder of packages that tools import, or nothing, and the port of the proxy inside, or 0."""
    path, walled, temporary, packages, proxy_port = arguments
    walls = Walls(path, walled == "walled", temporary)
    if walls.walled:
        become_nobody(walls)
        try:
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("900")  # when memory runs out, a tool goes first, never the server
        except OSError:
            pass
    control = socket.socket(fileno=CONTROL)
    if int(proxy_port):
        hand_over_listener(control, int(proxy_port))
    warm_up()
    gc.collect()
    gc.freeze()
    with control:
        ForkServer(control, walls, run, packages).serve()
    sys.exit(0)
