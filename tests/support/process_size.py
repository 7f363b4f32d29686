"""How much memory a server has taken."""

import pathlib


def peak_mb(server) -> float:
    """The most that the process has had resident."""
    status = pathlib.Path(f"/proc/{server.process.child.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def is_sanitized(server) -> bool:
    """Such a process keeps what was freed and books on all that is there: its size says nothing."""
    maps = pathlib.Path(f"/proc/{server.process.child.pid}/maps").read_text()
    return "libasan" in maps or "libtsan" in maps
