"""The browser's and the driver's processes, seen and ended from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_GONE = frozenset("ZX")
_STOPPED = frozenset("Tt")


def is_running(pid: int) -> bool:
    """Say whether a process exists and has not ended."""
    return _state(pid) not in {"", *_GONE}


def is_stopped(pid: int) -> bool:
    """Say whether a process was halted by a signal, so that it will answer nothing."""
    return _state(pid) in _STOPPED


def leaders_below(directory: Path) -> tuple[int, ...]:
    """Return the group leaders whose command line names ``directory``: browsers whose profile lies in it."""
    needle = os.fsencode(directory)
    return tuple(pid for pid in _pids() if needle in _read(pid, "cmdline") and _field(pid, 2) == pid)


def children_named(word: str) -> frozenset[int]:
    """Return the running children of this process whose command line has ``word``."""
    own, needle = os.getpid(), os.fsencode(word)
    children = (pid for pid in _pids() if _field(pid, 1) == own and needle in _read(pid, "cmdline"))
    return frozenset(pid for pid in children if is_running(pid))


def when_ended(pid: int, call: Callable[[], None]) -> Callable[[], None]:
    """Call back when a process ends, and return what takes that wish back. Nothing happens where the system cannot."""
    if not hasattr(os, "pidfd_open"):
        return lambda: None
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        call()
        return lambda: None
    loop = asyncio.get_running_loop()

    def stop() -> None:
        nonlocal descriptor
        if descriptor >= 0:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            descriptor = -1

    def ended() -> None:
        stop()
        call()

    loop.add_reader(descriptor, ended)
    return stop


def kill_group(leader: int) -> None:
    """End a process and everything in its group, without asking."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill(pid: int) -> None:
    """End one process without asking."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def profile_directory(pid: int, below: Path) -> Path | None:
    """Return the profile directory that a browser's command line names, if it lies in ``below``."""
    for part in _read(pid, "cmdline").split(b"\0"):
        path = Path(os.fsdecode(part.rpartition(b"=")[2]))
        if path.is_absolute() and below in path.parents:
            return path
    return None


def _pids() -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _fields(pid: int) -> list[bytes]:
    # The second field, the name, may hold spaces and parentheses: everything up to the last ')' is skipped.
    return _read(pid, "stat").rpartition(b")")[2].split()


def _field(pid: int, index: int) -> int:
    fields = _fields(pid)
    return int(fields[index]) if len(fields) > index else -1


def _state(pid: int) -> str:
    fields = _fields(pid)
    return fields[0].decode() if fields else ""
