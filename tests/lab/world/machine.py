"""The machine of the monitor and its line, broken for real: routes, processor time, processes, a disk, a blocker.

Routes are changed with policy rules of the case's own network namespace, so nobody outside it notices. Whoever stands
at another place connects from an address of its own, and is spared.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.lab.vocabulary import PROXIES, SERVERS
from tests.lab.world.faults import Faults, Trouble
from tests.lab.world.names import Names

_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD = 100_000
_SPARED, _BROKEN, _LOCAL = "3", "5", "100"
_KEPT_FREE = 65_536
_REFILL = 0.02
_AGAIN = 1.5
_NAMES_KEPT = 1.1
_HOSTS = Path("/etc/hosts")
_SIGNALS = {
    "kill-browser": (signal.SIGKILL, ""),
    "freeze-browser": (signal.SIGSTOP, ""),
    "crash-page": (signal.SIGSEGV, "renderer"),
    "kill-driver": (signal.SIGKILL, "driver"),
}
_BROWSERS = ("chrom", "headless", "firefox")


class Machine:
    """Follows the faults whose place is the monitor's machine or its line. ``close`` mends and forgets everything."""

    def __init__(
        self, faults: Faults, names: Names, *, disk: Path | None = None, group: str = "", home: Path | None = None
    ) -> None:
        """Prepare.

        Args:
            disk: The small disk for the monitor's temporary files.
            group: The name of a control group for its processes.
            home: The folder of its configuration, where a browser's blocker keeps its list.
        """
        self._faults = faults
        self._names = names
        self._disk = disk
        self._filters = home / "filters.txt" if home is not None else None
        self._group = _GROUPS / group if group else None
        self._pid: int | None = None
        self._routed = False
        self._overridden = False
        self._home = home
        self._done: set[int] = set()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        faults.tell(self._changed)

    def watch(self, pid: int) -> None:
        """Take the monitor's main process, whose children are workers and browsers."""
        self._pid = pid
        if self._group is not None:
            self._group.mkdir(exist_ok=True)
            for one in (pid, *children_of(pid)):
                with contextlib.suppress(OSError):
                    (self._group / "cgroup.procs").write_text(str(one))

    def close(self) -> None:
        """Mend everything; the control group goes once its processes have ended."""
        self._closed.set()
        with self._lock:
            self._restore()
        if self._group is not None and self._group.exists():
            self._limit(None)
            with contextlib.suppress(OSError):
                self._group.rmdir()

    def _changed(self, _roles: frozenset[str]) -> None:
        with self._lock:
            troubles = self._faults.of_kind("machine")
            if not troubles:
                self._restore()
                return
            for trouble in troubles:
                if id(trouble) not in self._done:
                    self._done.add(id(trouble))
                    self._begin(trouble)

    def _begin(self, trouble: Trouble) -> None:
        match trouble.get("kind"):
            case "down":
                self._route("unreachable", [role for role in (*SERVERS, "origin") if role in self._names.addresses])
            case "prohibit":
                self._route("prohibit", sorted(trouble.roles & self._names.addresses.keys()))
            case "starve":
                self._limit(float(trouble.get("percent", 8)))
            case "kill-browser" | "freeze-browser" | "crash-page" | "kill-driver" as kind:
                self._keep_killing(trouble, *_SIGNALS[kind])
            case "fill-disk":
                self._fill()
                self._keep_full(trouble)
                # A browser that is up already has what it needs; the next one does not.
                self._kill(signal.SIGKILL, "")
            case "hosts":
                self._override(trouble)
            case "files":
                self._spare_few_files(trouble)
            case "blocker":
                self._block(sorted(trouble.roles))
            case other:
                msg = f"'kind: {other}' of a machine is none; there are: {', '.join(KINDS)}"
                raise ValueError(msg)

    def _restore(self) -> None:
        self._done.clear()
        if self._routed:
            while _ip("rule", "del", "pref", _BROKEN, quiet=True):
                pass
        if self._group is not None and self._group.exists():
            self._limit(None)
        if self._overridden:
            self._overridden = not _run("umount", str(_HOSTS))
        if self._disk is not None:
            (self._disk / "ballast").unlink(missing_ok=True)
        if self._filters is not None:
            self._filters.unlink(missing_ok=True)

    def _route(self, action: str, roles: Iterable[str]) -> None:
        self._prepare()
        for address in dict.fromkeys(self._names.addresses[role] for role in roles):
            _ip("rule", "add", "pref", _BROKEN, "to", address, action)

    def _prepare(self) -> None:
        if self._routed:
            return
        # The rule for local addresses comes first by nature; others can only be asked before it once it has moved.
        _ip("rule", "add", "pref", _LOCAL, "lookup", "local")
        for role in (*PROXIES, "edge"):
            if role in self._names.addresses:
                _ip("rule", "add", "pref", _SPARED, "from", self._names.addresses[role], "lookup", "local")
        _ip("rule", "del", "pref", "0", quiet=True)
        self._routed = True

    def _limit(self, percent: float | None) -> None:
        quota = -1 if percent is None else int(_PERIOD * percent / 100)
        assert self._group is not None
        (self._group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (self._group / "cpu.cfs_quota_us").write_text(str(quota))

    def _keep_killing(self, trouble: Trouble, how: signal.Signals, kind: str) -> None:
        """Kill browsers, or processes of one kind, again and again: a run that is repeated must not come through."""

        def kill() -> None:
            while trouble.on():
                self._kill(how, kind)
                self._closed.wait(_AGAIN)

        threading.Thread(target=kill, daemon=True).start()

    def _kill(self, how: signal.Signals, kind: str) -> None:
        for pid in children_of(self._pid) if self._pid is not None else ():
            words = _command(pid)
            types = [word.partition("=")[2] for word in words if word.startswith("--type=")]
            if kind == "driver" and "run-driver" in words:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            if any(name in words[0] for name in _BROWSERS) and types == ([kind] if kind else []):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)

    def _override(self, trouble: Trouble) -> None:
        """Lay a file of hosts over the machine's, as somebody does who tries something and forgets it."""
        assert self._home is not None
        address = self._names.addresses[str(trouble.get("address")).lstrip("@")]
        lines = [f"{address} {self._names.hosts[role]}" for role in sorted(trouble.roles)]
        own = self._home / "static-names"
        own.write_text(_HOSTS.read_text() + "\n".join(lines) + "\n", encoding="ascii")
        self._overridden = _run("mount", "--bind", str(own), str(_HOSTS))
        # A browser that is up already keeps the names that it has read, and the monitor those of the last second.
        self._kill(signal.SIGKILL, "")
        time.sleep(_NAMES_KEPT)

    def _spare_few_files(self, trouble: Trouble) -> None:
        """Let the monitor's processes open hardly more than they have open."""

        def limit() -> None:
            while trouble.on() and not self._closed.wait(_REFILL):
                for pid in children_of(self._pid) if self._pid is not None else ():
                    with contextlib.suppress(OSError):
                        limits = (int(trouble.get("count", 24)), resource.RLIM_INFINITY)
                        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

        threading.Thread(target=limit, daemon=True).start()
        self._kill(signal.SIGKILL, "")

    def _block(self, roles: Iterable[str]) -> None:
        assert self._filters is not None
        self._filters.write_text("\n".join(self._names.hosts[role] for role in roles), encoding="ascii")

    def _keep_full(self, trouble: Trouble) -> None:
        """Take what becomes free again: a browser that is killed leaves the room of its profile to the next one."""

        def fill() -> None:
            while trouble.on() and not self._closed.wait(_REFILL):
                # What was mended in the meantime must not be filled once more: nobody would mend it again.
                with self._lock:
                    if trouble.on() and not self._closed.is_set():
                        self._fill()

        threading.Thread(target=fill, daemon=True).start()

    def _fill(self) -> None:
        assert self._disk is not None
        free = os.statvfs(self._disk)
        size = free.f_bavail * free.f_frsize - _KEPT_FREE
        if size <= 0:
            return
        with (self._disk / "ballast").open("ab") as ballast, contextlib.suppress(OSError):
            os.posix_fallocate(ballast.fileno(), ballast.tell(), size)


KINDS = (*_SIGNALS, "down", "prohibit", "starve", "fill-disk", "blocker", "hosts", "files")


def children_of(pid: int) -> tuple[int, ...]:
    """Return the children of a process and their children; those that end meanwhile may be missing."""
    parents: dict[int, list[int]] = {}
    for child, parent in _processes():
        parents.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return tuple(found)


def _processes() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])


def _command(pid: int) -> list[str]:
    """Return the words of a process's command; a browser's children write them with blanks between."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").split() or [""]
    except OSError:
        return [""]


def _run(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _ip(*words: str, quiet: bool = False) -> bool:
    done = subprocess.run(("ip", *words), capture_output=True, text=True, check=False)
    if done.returncode and not quiet:
        msg = f"ip {' '.join(words)} failed: {done.stderr.strip()}"
        raise OSError(msg)
    return done.returncode == 0
