"""What a case needs of its machine, and the private part of it that a case is given."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from tests.lab.manifest import Manifest
from tests.lab.world.world import World

_RESOLV = Path("/etc/resolv.conf")
_CPU = Path("/sys/fs/cgroup/cpu")
_SMALL_DISK = 96
ENTERED = "LAB_NAMESPACES"


@lru_cache(maxsize=1)
def abilities() -> Mapping[str, bool]:
    """Return what this machine can do."""
    root = os.geteuid() == 0
    return {
        "names": root and _works("unshare", "-m", "true"),
        "netns": root and _works("unshare", "-m", "-n", "ip", "link", "set", "lo", "up"),
        "cgroup": os.access(_CPU / "cpu.cfs_quota_us", os.F_OK) and os.access(_CPU, os.W_OK),
        "ipv6": socket.has_ipv6 and Path("/proc/net/if_inet6").exists(),
        "firefox": shutil.which("firefox-esr") is not None or shutil.which("firefox") is not None,
        "chromium": shutil.which("chromium") is not None,
        "tmpfs": root and _works("unshare", "-m", "true"),
    }


def wrapper(manifest: Manifest) -> list[str]:
    """Return the command in front of a case's, so that it lives in namespaces of its own where it may."""
    able = abilities()
    if not able["names"]:
        return []
    network = ["-n"] if "netns" in manifest.needs and able["netns"] else []
    return ["unshare", "-m", *network, "--"]


class Namespaces:
    """The private part of the machine, from the inside: names, line, a small disk, a control group."""

    def __init__(self, manifest: Manifest) -> None:
        """Look whether this process was started in namespaces of its own."""
        self._manifest = manifest
        self._entered = set(os.environ.get(ENTERED, "").split())
        self.privileged = "names" in self._entered
        self.disk: Path | None = None
        self.group = f"case-{os.getpid()}" if "cgroup" in manifest.needs else ""

    def missing(self) -> str:
        """Return what the scenario needs and is not there; nothing where all is."""
        able = abilities()
        for need in self._manifest.needs:
            inside = need not in {"names", "netns", "tmpfs"} or ("names" if need == "tmpfs" else need) in self._entered
            if not able[need] or not inside:
                return f"this machine has no '{need}'"
        return ""

    def line_up(self) -> None:
        """Bring the line up, before anybody listens: what is bound while it is down cannot be asked. Raises OSError."""
        if "netns" in self._manifest.needs:
            _line_up()

    def enter(self, world: World, theirs: Path, ours: Path) -> None:
        """Make names and disk those of the world. Raises OSError."""
        theirs.mkdir(parents=True, exist_ok=True)
        if self.privileged:
            own = ours / "names"
            own.write_text(f"nameserver {world.names.addresses['r1']}\n", encoding="ascii")
            _must("mount", "--bind", str(own), str(_RESOLV.resolve()))
        if "tmpfs" in self._manifest.needs:
            self.disk = theirs / "tmp"
            self.disk.mkdir()
            _must("mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}m", "tmpfs", str(self.disk))


def _line_up() -> None:
    """Bring up loopback, and a line to nowhere: a browser without any other believes that it is offline."""
    for words in (
        "link set lo up",
        "link add v0 type veth peer name v1",
        "addr add 198.18.0.2/24 dev v0",
        "link set v0 up",
        "link set v1 up",
    ):
        _must("ip", *words.split())
    with contextlib.suppress(OSError):
        _must("ip", "route", "add", "default", "via", "198.18.0.1", "dev", "v0")


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _must(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{' '.join(command)} failed: {done.stderr.strip()}"
        raise OSError(msg)
