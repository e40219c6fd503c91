"""Finds the browser to drive, and says in one sentence what is wrong where there is none."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.evidence import ProberFault
from monitor.domain.profile import Engine
from monitor.probes.session import ProberError

_NAMES = {
    "shell": ("chromium-headless-shell", "chrome-headless-shell"),
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "firefox": ("firefox-esr", "firefox"),
}
_PACKAGES = {"shell": "chromium-headless-shell", "chromium": "chromium", "firefox": "firefox-esr"}
_SETTINGS = {"shell": "workers.headless_shell", "chromium": "workers.chromium", "firefox": "workers.firefox"}
_MACHINES = {0x03: "i386", 0x28: "arm", 0x3E: "x86_64", 0xB7: "aarch64", 0xF3: "riscv64"}
_ALIASES = {"amd64": "x86_64", "arm64": "aarch64", "i686": "i386", "armv7l": "arm"}
_ELF_HEADER = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Executables:
    """Paths that the configuration names; ``None`` means: look for one."""

    chromium: Path | None = None
    headless_shell: Path | None = None
    firefox: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """A browser to start. ``path`` is ``None`` for the one that Playwright brings itself."""

    kind: str
    path: Path | None
    channel: str | None = None


def find_executable(
    engine: Engine, *, full: bool, configured: Executables, bundled: Mapping[str, str], search_path: str | None = None
) -> Executable:
    """Return the browser for an engine: the configured one, Playwright's own, or the system's.

    ``bundled`` maps an engine to where Playwright would keep its own. Raises ProberError where there is none.
    """
    if engine is Engine.WEBKIT:
        return _webkit(bundled)
    kind = "firefox" if engine is Engine.FIREFOX else "chromium" if full else "shell"
    channel = "moz-firefox" if kind == "firefox" else None
    path = {"shell": configured.headless_shell, "chromium": configured.chromium, "firefox": configured.firefox}[kind]
    if path is not None:
        _vet(path, kind)
        return Executable(kind=kind, path=path, channel=channel)
    if _bundled(kind, bundled):
        return Executable(kind=kind, path=None)
    for name in _NAMES[kind]:
        found = shutil.which(name, path=search_path)
        if found:
            _vet(Path(found), kind)
            return Executable(kind=kind, path=Path(found), channel=channel)
    raise ProberError(ProberFault.BROWSER_MISSING, _missing(kind))


def _webkit(bundled: Mapping[str, str]) -> Executable:
    if _bundled("webkit", bundled):
        return Executable(kind="webkit", path=None)
    message = "WebKit is not installed: run `playwright install webkit`, or use a Chromium or Firefox profile."
    raise ProberError(ProberFault.BROWSER_MISSING, message)


def _bundled(kind: str, bundled: Mapping[str, str]) -> bool:
    return bool(bundled.get(kind)) and Path(bundled[kind]).exists()


def _missing(kind: str) -> str:
    return (
        f"No {_PACKAGES[kind]} was found: install the Debian package `{_PACKAGES[kind]}`, run `playwright install`, "
        f"or set {_SETTINGS[kind]} to its path."
    )


def _vet(path: Path, kind: str) -> None:
    where = f"{path} ({_SETTINGS[kind]})"
    if not path.exists():
        raise ProberError(
            ProberFault.BROWSER_MISSING, f"The browser {where} does not exist: correct the path or install it."
        )
    if path.is_dir() or not os.access(path, os.X_OK):
        raise ProberError(
            ProberFault.BROWSER_FOREIGN, f"The browser {where} is not executable: name the program itself, or chmod +x."
        )
    machine = _machine_of(path)
    here = _ALIASES.get(platform.machine().lower(), platform.machine().lower())
    if machine and machine != here:
        raise ProberError(
            ProberFault.BROWSER_FOREIGN,
            f"The browser {where} was built for {machine}, this machine is {here}: install the build for {here}.",
        )


def _machine_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            head = file.read(_ELF_HEADER)
    except OSError:
        return None
    if len(head) < _ELF_HEADER or not head.startswith(b"\x7fELF"):
        return None
    number = int.from_bytes(head[18:20], "little" if head[5] == 1 else "big")
    return _MACHINES.get(number, f"machine type {number}")
