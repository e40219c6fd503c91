"""Finds journeys, in a process of its own and each Python file in a child of that, so that no file can harm another.

``python -m monitor.journeys.discovery FOLDER`` writes one catalogue, encoded, to its standard output.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import select
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.journey import JourneyCatalogue, JourneyOutline, JourneyProblem
from monitor.execution.wire import Codec, WireError
from monitor.journeys.files import UnusableFileError, is_declarative, journey_files, journeys_of, outline_of, source_of

_PR_SET_PDEATHSIG = 1
_LENGTH_BYTES = 4
_LARGEST_ANSWER = 4_000_000
_MEMORY_BYTES = 2_000_000_000
_FILE_BYTES = 64_000_000
_HIGHEST_FILE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one Python file may use while it is imported."""

    seconds: float = 10.0
    memory_bytes: int = _MEMORY_BYTES


def discover(folder: Path, limits: Limits = Limits()) -> JourneyCatalogue:
    """Look into every file of a folder and return what was found, and what was wrong."""
    try:
        paths = journey_files(folder)
    except OSError as error:
        problem = JourneyProblem(source=str(folder), message=f"the folder of journeys cannot be read: {error.strerror}")
        return JourneyCatalogue(problems=(problem,))
    _preload(paths)
    found = [_look(path) if is_declarative(path) else _look_apart(path, limits) for path in paths]
    journeys = [journey for one in found for journey in one.journeys]
    problems = [problem for one in found for problem in one.problems]
    return _without_duplicates(journeys, problems)


def _preload(paths: Iterable[Path]) -> None:
    # Loaded once here, and not again in the child of every file that needs it.
    with contextlib.suppress(OSError, ImportError):
        if any(b"Browser" in path.read_bytes() for path in paths if not is_declarative(path)):
            importlib.import_module("monitor.probes.browser.handle")


def _without_duplicates(journeys: Iterable[JourneyOutline], problems: Iterable[JourneyProblem]) -> JourneyCatalogue:
    by_name: dict[str, list[JourneyOutline]] = defaultdict(list)
    for journey in journeys:
        by_name[journey.name].append(journey)
    # Neither of two is taken: whichever it was, the series of a check would go on with another journey under its name.
    twins = [
        JourneyProblem(source=one.source, message=f"journey '{name}' is defined twice, also in {_others(one, group)}")
        for name, group in by_name.items()
        if len(group) > 1
        for one in group
    ]
    unique = [group[0] for group in by_name.values() if len(group) == 1]
    return JourneyCatalogue(journeys=tuple(unique), problems=(*problems, *twins))


def _others(one: JourneyOutline, group: list[JourneyOutline]) -> str:
    others = sorted({other.source for other in group if other is not one})
    return f"{' and '.join(others)}; rename one of them"


def _look(path: Path) -> JourneyCatalogue:
    try:
        return JourneyCatalogue(journeys=tuple(outline_of(journey) for journey in journeys_of(path)))
    except UnusableFileError as error:
        return JourneyCatalogue(problems=error.problems)
    except Exception as error:  # noqa: BLE001 - one file must not cost us the others
        message = f"cannot be used: {type(error).__name__}: {error}"
        return JourneyCatalogue(problems=(JourneyProblem(source=source_of(path), message=message),))


def _look_apart(path: Path, limits: Limits) -> JourneyCatalogue:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _confine(limits, keep=writing)
            answer = Codec().encode(_look(path))
            _write(writing, len(answer).to_bytes(_LENGTH_BYTES, "big") + answer)
        finally:
            os._exit(0)
    os.close(writing)
    with contextlib.suppress(OSError):
        # The child does the same: whichever comes first, the group exists before anybody relies on it.
        os.setpgid(child, child)
    try:
        return _answer(path, reading, child, limits)
    finally:
        os.close(reading)


def _confine(limits: Limits, *, keep: int) -> None:
    os.setpgid(0, 0)
    os.closerange(3, keep)
    os.closerange(keep + 1, _HIGHEST_FILE)
    # Whoever kills the discovery kills the import with it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    seconds = int(limits.seconds) + 1
    for what, limit in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
        # Nothing may be started by defining journeys. Root is exempt: one more reason not to run as root.
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (allowed, hard))


def _answer(path: Path, reading: int, child: int, limits: Limits) -> JourneyCatalogue:
    data, in_time = _read(reading, time.monotonic() + limits.seconds)
    if data:
        with contextlib.suppress(WireError):
            catalogue = Codec().decode(data, JourneyCatalogue)
            _end(child)
            return catalogue
    if not in_time:
        _end(child)
        return _unusable(
            path, f"importing it takes longer than {limits.seconds:g} s; a module of journeys only defines"
        )
    _, status = os.waitpid(child, 0)
    _end_group(child)
    how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit status {os.WEXITSTATUS(status)}"
    return _unusable(path, f"it ended the process when it was imported ({how}); a module of journeys only defines")


def _unusable(path: Path, message: str) -> JourneyCatalogue:
    return JourneyCatalogue(problems=(JourneyProblem(source=source_of(path), message=message),))


def _read(reading: int, until: float) -> tuple[bytes, bool]:
    """Return the child's answer, or nothing, and whether the time sufficed."""
    data = b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            break
        chunk = os.read(reading, 65536)
        if not chunk:
            return b"", True
        data += chunk
        length = int.from_bytes(data[:_LENGTH_BYTES], "big")
        if length > _LARGEST_ANSWER:
            return b"", True
        if len(data) >= _LENGTH_BYTES + length:
            return data[_LENGTH_BYTES : _LENGTH_BYTES + length], True
    return b"", False


def _write(writing: int, data: bytes) -> None:
    while data:
        data = data[os.write(writing, data) :]


def _end(child: int) -> None:
    _end_group(child)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def _end_group(child: int) -> None:
    for end in (os.killpg, os.kill):
        # The group exists once the child has made it; until then the child alone does.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(child, signal.SIGKILL)


def main() -> None:
    """Discover the folder that the command line names, and keep standard output for the answer alone."""
    private = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else Limits().seconds  # noqa: PLR2004 - the optional argument
    catalogue = discover(Path(sys.argv[1]), Limits(seconds=seconds))
    _write(private, Codec().encode(catalogue))


if __name__ == "__main__":
    main()
