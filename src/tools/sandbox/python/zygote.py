"""The fork-server of one organisation and set of requirements. Started by fork_server.cpp, single-threaded for good.

Control socket (sequenced packets), from the server: one byte and four descriptors a call:
    call    stream socket: frames of u32 big endian and JSON; one request in, one answer out (tool_call.py)
    out     pipe for what is printed
    err     pipe for the rest
    watch   stream socket kept here: first the byte "P" with a pidfd of the call's process, or "E" and a text; when the
            process has ended four bytes follow: its exit code, or minus the signal that ended it
Told so, it first sends the byte "L" and a listening socket of its own network namespace, at which the server's proxy
answers. The end of the control socket ends this process, and with it its pid namespace.

Behind walls the process of a call is made ahead: a spare, which has its namespaces and its filter, and nothing of any
call, and waits for the descriptors of the one that it will carry out.
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
SPARES_MIN, SPARES_MAX = 2, 4  # in between: as many as there were calls at a time
SPARE_DELAY_MS = 2
REHEARSALS = 12  # the interpreter fits code to its work when it has run about eight times
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

    def close(self):
        """In the process of a call: it is behind its walls from here on."""
        if self.walled:
            self.done(self.library.walls_close(self.temporary))

    def part(self, descriptor):
        """Keeps nothing of the fork-server's but this descriptor and standard error."""
        self.done(self.library.walls_part(descriptor))

    def enter(self, call, out, err):
        self.done(self.library.walls_descriptors(call, out, err))

    def limit(self, limits):
        values = [limits[name] for name in LIMITS]
        if not self.walled:
            values[-1] = 2**63 - 1  # counted over all that the user runs, the server included
        self.done(self.library.walls_limits(*(ctypes.c_uint64(value) for value in values)))


def become_nobody(walls):
    """Root takes a user id that nothing else has; in a container that has few ids, one that is hardly used."""
    if os.getuid() != 0:
        return
    for user in (1_400_000_000 + int.from_bytes(os.urandom(3), "big"), 61_000 + os.urandom(1)[0]):
        try:
            return walls.become(user)
        except OSError:
            continue


class Process:
    """One that waits for the descriptors of a call, to carry it out."""

    def __init__(self, walls, work):
        """`work` gets the process's end of a channel, and never returns."""
        self.channel, theirs = socket.socketpair()
        try:
            self.id, self.handle = walls.fork()  # the handle is a pidfd
            if self.id == 0:
                work(theirs)
        except OSError:
            self.channel.close()
            raise
        finally:
            theirs.close()

    def gone(self):
        return bool(select.select([self.handle], [], [], 0)[0])

    def hand_over(self, streams, watch):
        """The server hears of the process before the process hears of the call: so nothing that has run is unknown."""
        with self.channel:
            try:
                socket.send_fds(watch, [b"P"], [self.handle])
                socket.send_fds(self.channel, [b"c"], streams)
            except OSError:
                pass  # the server has given the call up, or the process has just ended: its end will be told


def carry_out(walls, run, channel, rehearse=None):
    """In the process of a call: nothing but os._exit ends it. With a rehearsal it was made ahead. That has it own the
    memory that a call writes to: each page costs a fault, and a call's first steps cost many."""
    try:
        try:
            walls.part(channel.fileno())
            if rehearse:
                walls.close()
                rehearse()
            _, descriptors, _, _ = socket.recv_fds(channel, 1, 3)
            if len(descriptors) < 3:
                return  # there will be no call
            channel.detach()  # `enter` closes it with all the rest
            walls.enter(*descriptors)
            if not rehearse:
                walls.close()
            run(socket.socket(fileno=3), walls)
        except BaseException as failure:  # of ours; those of a tool are results
            os.write(2, f"sandbox: {type(failure).__name__}: {failure}\n".encode())
            os._exit(70)
    finally:
        os._exit(0)


def oversee(walls, work, streams, watch):
    """Without walls nothing ends with the call's first process but that one. So this process stands over it, inherits
    whatever it leaves behind, and ends that too: when the call is over, and when the server has given it up or is gone."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            process = Process(walls, work)
        except OSError as failure:
            return tell(watch, b"E" + str(failure).encode())
        process.hand_over(streams, watch)
        keep = (2, watch.fileno(), process.handle)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor not in keep:
                try:
                    os.close(descriptor)
                except OSError:
                    pass  # the list's own
        poll = select.poll()
        poll.register(process.handle, select.POLLIN)
        poll.register(watch, 0)  # that is: until it is hung up
        while process.handle not in dict(poll.poll()):
            poll.unregister(watch)
            os.kill(process.id, signal.SIGKILL)
        _, status = os.waitpid(process.id, 0)
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
    def __init__(self, control, walls, run, rehearse, packages):
        self.control = control
        self.walls = walls
        self.run = run
        self.rehearse = rehearse
        self.packages = packages
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.at_work = {}  # pidfd -> process id, watch socket
        self.spares = {}  # pidfd -> Process
        self.spares_wanted = 0

    def serve(self):
        while True:
            wanting = len(self.spares) < self.spares_wanted
            # Spares are made in the gaps, for they cost a call that is at work its time. Unless there is none left.
            events = self.poll.poll((SPARE_DELAY_MS if self.spares else 0) if wanting else None)
            for descriptor, _ in events:
                if descriptor != self.control.fileno():
                    self.ended(descriptor)
                elif not self.begin():
                    return
            if wanting and not (events and self.at_work):
                self.make_spare()

    def begin(self):
        _, ancillary, _, _ = self.control.recvmsg(1, socket.CMSG_SPACE(4 * 4))
        descriptors = array.array("i")
        for _, _, data in ancillary:
            descriptors.frombytes(data[: len(data) - len(data) % 4])
        streams = descriptors[:3]
        if len(descriptors) != 4:
            for descriptor in descriptors:
                os.close(descriptor)
            return False
        watch = socket.socket(fileno=descriptors[3])
        try:
            if self.walls.walled:
                process = self.take_spare() or Process(self.walls, self.work)
                self.follow(process.handle, process.id, watch)
                process.hand_over(streams, watch)
                self.spares_wanted = min(max(len(self.at_work), SPARES_MIN), SPARES_MAX)
            else:
                child, handle = self.walls.fork()
                if child == 0:
                    oversee(self.walls, self.work, streams, watch)
                self.follow(handle, child, watch)
        except OSError as failure:
            tell(watch, b"E" + str(failure).encode())
            watch.close()
        for descriptor in streams:
            os.close(descriptor)
        return True

    def work(self, channel, rehearse=None):
        if self.packages:
            sys.path.insert(0, self.packages)
        carry_out(self.walls, self.run, channel, rehearse)

    def follow(self, handle, process, watch):
        self.poll.register(handle, select.POLLIN)
        self.at_work[handle] = (process, watch)

    def make_spare(self):
        try:
            spare = Process(self.walls, lambda channel: self.work(channel, self.rehearse))
        except OSError:
            self.spares_wanted = 0  # the next call will tell, if it is still so
        else:
            self.poll.register(spare.handle, select.POLLIN)
            self.spares[spare.handle] = spare

    def take_spare(self):
        for handle, spare in self.spares.items():
            if not spare.gone():
                return self.spares.pop(handle)

    def ended(self, handle):
        self.poll.unregister(handle)
        if spare := self.spares.pop(handle, None):
            self.spares_wanted = 0
            spare.channel.close()
            os.waitpid(spare.id, 0)
        else:
            child, watch = self.at_work.pop(handle)
            _, status = os.waitpid(child, 0)
            tell(watch, struct.pack("!i", os.waitstatus_to_exitcode(status)))
            watch.close()
        os.close(handle)


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


def main(arguments, run, rehearse):
    """Arguments: path of the walls' library, "walled" or "open", options of the /tmp that each call gets, and the
    folder of packages that tools import, or nothing, the port of the proxy inside, or 0, and the descriptor of its control
    group's entrance, or nothing."""
    path, walled, temporary, packages, proxy_port, entrance = arguments
    if entrance:
        try:
            os.write(int(entrance), b"0")
        except OSError as failure:
            sys.exit(f"the control group takes no process: {failure.strerror}")
        os.close(int(entrance))
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
    for _ in range(REHEARSALS):
        rehearse()
    gc.collect()
    gc.freeze()
    with control:
        ForkServer(control, walls, run, rehearse, packages).serve()
    sys.exit(0)
