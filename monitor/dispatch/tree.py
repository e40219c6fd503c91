"""A process with all that descends from it: who they are, what memory they hold, and their end.

Read from ``/proc`` by hand, for this is loaded by a process that should stay tiny.
"""
# ruff: noqa: PTH123, PTH208 - pathlib would double what that process holds in memory

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PASSES = 200


def descendants(root: int) -> list[int]:
    """Return the ids of all living processes that descend from ``root``, itself not included."""
    children: dict[int, list[int]] = {}
    for pid, parent in _living():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    open_ends = [root]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found += below
        open_ends += below
    return found


def state_of(pid: int) -> str:
    """Return the letter of the state that a process is in, or nothing where there is none."""
    fields = _stat(str(pid))
    return fields[0] if fields else ""


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the memory that processes hold, what they share counted for each; quick to learn."""
    return sum(_resident(pid) for pid in pids)


def proportional_bytes(pids: Iterable[int]) -> int:
    """Return the memory that processes hold, what they share counted once; dear to learn."""
    return sum(_proportional(pid) for pid in pids)


def out_of_memory_kills() -> int:
    """Return how many processes of this machine the kernel has killed for want of memory."""
    return _field("/proc/vmstat", "oom_kill")


def kill_descendants(root: int) -> None:
    """End every process that descends from ``root``, also those that start others meanwhile."""
    for turn in range(_PASSES):
        pids = descendants(root)
        if not pids:
            return
        if turn == 0:
            # One that is stopped starts no more processes while the others are found.
            _signal(pids, signal.SIGSTOP)
            pids = descendants(root)
        _signal(pids, signal.SIGKILL)
        _reap()


def kill_at_home_in(directory: str) -> None:
    """End every process that was started with its home or its place for temporary files in this directory or below it.

    Both are asked: a browser has a home of its own below that of its worker, and for the rest a shorter name elsewhere.
    """
    wanted = (f"HOME={directory}/".encode(), f"TMPDIR={directory}/".encode())
    for name in os.listdir("/proc"):
        with suppress(OSError, ValueError), open(f"/proc/{int(name)}/environ", "rb") as file:
            # The slash keeps apart what only begins with the same letters.
            if any((entry + b"/").startswith(wanted) for entry in file.read().split(b"\0")):
                os.kill(int(name), signal.SIGKILL)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _living() -> list[tuple[int, int]]:
    found = ((name, _stat(name)) for name in os.listdir("/proc") if name.isdecimal())
    return [(int(name), int(fields[1])) for name, fields in found if fields and fields[0] not in "ZX"]


def _stat(pid: str) -> list[str]:
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].decode().split()


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _read(path: str) -> bytes:
    # A file object costs three times as much, and there is one such file for each process of the machine.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 4_096)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _proportional(pid: int) -> int:
    return _field(f"/proc/{pid}/smaps_rollup", "Pss:") * 1024 or _resident(pid)


def _field(path: str, name: str) -> int:
    with suppress(OSError), open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            words = line.split()
            if words and words[0] == name:
                return int(words[1])
    return 0
