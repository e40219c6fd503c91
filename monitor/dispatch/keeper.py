"""The process above a worker: it bounds what the worker and its descendants use, and lets nothing outlive them.

It is started by the main process, forks the worker off before anything of weight is loaded, and becomes the reaper of
all that descends from it. It ends the whole tree when told to, when a limit is passed, when the worker is gone, and
when the main process is gone, however that came about.
"""
# ruff: noqa: PTH123 - pathlib would double what this process holds in memory

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import time
from contextlib import suppress

from monitor.dispatch import tree

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PACE = 0.5
_LONGEST_PACE = 2.0
_TAIL = 2_000
_PIPE = 1 << 20
_OPEN_FILES = 8_192
_SHARE_OF_TIME = 100


class Keeper:
    """Watches one worker and all its descendants until they are gone."""

    def __init__(self, worker: int, control: socket.socket, output: int, limits: tuple[int, int]) -> None:
        """Watch ``worker``; ``limits`` are bytes of memory and a number of processes."""
        self._worker = worker
        self._control = control
        self._output = output
        self._memory, self._processes = limits
        self._oom_kills = tree.out_of_memory_kills()
        self._tail = b""
        self._status: int | None = None
        self._reason = ""
        self._next_look = 0.0
        self._told = -1

    def keep(self, wakeup: int) -> None:
        """Watch until the worker is gone, then end what is left of its tree and say how it ended."""
        poll = select.poll()
        for descriptor in (self._control.fileno(), self._output, wakeup):
            poll.register(descriptor, select.POLLIN)
        while self._status is None and not self._reason:
            heard = poll.poll(_PACE * 1_000)
            self._reap()
            for descriptor, _ in heard:
                self._hear(descriptor)
            self._look()
        self._hear_the_last()
        if self._status is not None:
            # The worker ended by itself, and what was heard or seen since is no reason for it.
            self._reason = ""
        tree.kill_descendants(os.getpid())
        self._reap()
        self._say(
            {
                "status": self._status,
                "reason": self._reason,
                "oom": tree.out_of_memory_kills() > self._oom_kills,
                "tail": self._tail.decode(errors="replace"),
            }
        )

    def _hear(self, descriptor: int) -> None:
        if descriptor == self._control.fileno():
            heard = self._control.recv(16)
            self._reason = "told" if heard else "orphaned"
        elif descriptor == self._output:
            # What a worker prints is read so that it never blocks, and all but its end is dropped.
            printed = os.read(descriptor, _PIPE)
            self._tail = printed[-_TAIL:] if len(printed) >= _TAIL else (self._tail + printed)[-_TAIL:]
        else:
            os.read(descriptor, 4_096)

    def _hear_the_last(self) -> None:
        """Hear what the worker printed before its end: that may have come after the last look at what was there."""
        os.set_blocking(self._output, False)
        with suppress(BlockingIOError):
            self._hear(self._output)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._worker:
                    self._status = os.waitstatus_to_exitcode(status)

    def _look(self) -> None:
        if time.monotonic() < self._next_look:
            return
        began = time.process_time()
        pids = tree.descendants(os.getpid())
        memory = tree.resident_bytes(pids)
        if memory > self._memory and tree.proportional_bytes(pids) > self._memory:
            self._reason = "memory"
        elif len(pids) > self._processes:
            self._reason = "processes"
        if abs(memory - self._told) > 1 << 20:
            self._told = memory
            self._say({"memory": memory, "processes": len(pids)})
        # On a machine with very many processes looking is dear; then it is done less often.
        pause = (time.process_time() - began) * _SHARE_OF_TIME
        self._next_look = time.monotonic() + min(max(_PACE, pause), _LONGEST_PACE)

    def _say(self, said: dict[str, object]) -> None:
        with suppress(OSError):
            self._control.sendall(json.dumps(said).encode() + b"\n")


def main() -> None:
    """Become the keeper, and in a forked child the worker."""
    control_number, channel_number, memory, processes = (int(word) for word in sys.argv[1:5])
    directory = sys.argv[5]
    _settle()
    reader, writer = os.pipe()
    with suppress(OSError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
    keeper = os.getpid()
    worker = os.fork()
    if worker == 0:
        os.close(control_number)
        os.close(reader)
        _become_worker(channel_number, writer, keeper)
    os.close(channel_number)
    os.close(writer)
    wakeup = _wake_on_child()
    with socket.socket(fileno=control_number) as control:
        try:
            Keeper(worker, control, reader, (memory, processes)).keep(wakeup)
        finally:
            tree.kill_descendants(keeper)
            shutil.rmtree(directory, ignore_errors=True)


def _settle() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.umask(0o077)


def _become_worker(channel: int, output: int, keeper: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != keeper:
        os._exit(1)
    # Where memory is short, the kernel is to choose a worker rather than the monitor.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    from monitor.dispatch.worker import work  # noqa: PLC0415 - loaded in the worker only, so that the keeper stays tiny

    work(channel)


def _wake_on_child() -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return reader


if __name__ == "__main__":
    main()
