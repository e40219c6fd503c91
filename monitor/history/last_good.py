"""The last good run of each check, to be compared with and replayed: hashes of all answers, bodies of static ones.

Everything lies below one folder, one folder in it for each check: ``reference`` and at most one archive of bodies. What
is older than the age limit is never handed out.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import logging
import secrets
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence
from monitor.domain.outcome import Outcome
from monitor.domain.reference import Reference
from monitor.domain.run import Run
from monitor.execution.wire import Codec, WireError
from monitor.history.good_answers import digest_of, exchanges_of, reference_of
from monitor.history.steady import Steady, changes, with_addresses

_log = logging.getLogger(__name__)

SCHEMA = 1
ARCHIVE_AGE = dt.timedelta(hours=1)
MOST_BYTES = 500_000_000
_FILE = "reference"
_ARCHIVE = "archive-"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of one check; the archive's folder is named by its last part, so that all of it may be moved.

    Attributes:
        code: The digest of all code of the last good run, to see when the archive is out of date.
        archived_code: The same of the run that left the archive.
        changing: Method and URL of answers over HTTP that changed between good runs of late, and when they did.
    """

    schema: int
    check: str
    reference: Reference
    code: str
    archived_code: str = ""
    archived_at: dt.datetime | None = None
    archive_bytes: int = 0
    changing: tuple[tuple[str, str, dt.datetime], ...] = ()


class LastGood:
    """Keeps the last good run of each check. The disk is touched in a thread of its own, in order.

    An HTTP run that was answered as the one before costs nothing but a comparison.
    """

    def __init__(self, directory: Path, *, clock: Clock, max_age: dt.timedelta, beside: Path | None = None) -> None:
        """Keep everything below ``directory``; what is not there is looked for in ``beside``, which is only read."""
        self._root = directory
        self._beside = beside
        self._clock = clock
        self._max_age = max_age
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="last-good")
        self._codec = Codec()
        self._kept: dict[str, Kept | None] = {}
        self._handed_out: dict[str, Path] = {}
        self._steady = Steady(lambda run: exchanges_of(run.evidence))
        self._rests_until: dict[str, dt.datetime] = {}
        self._closed = False

    async def wanted(self, check: Check) -> str:
        """Return the folder, not there yet, to which the next run should archive; empty where the archive is good."""
        rests_until = self._rests_until.get(check.name)
        if rests_until is not None and self._clock.now() < rests_until:
            return ""
        return await self._in_thread(lambda: self._wanted(check.name), "")

    def note(self, run: Run) -> None:
        """Take a finished run in; returns at once. Only a run that passed without ado replaces the last one."""
        name = run.check.name
        handed_out = name in self._handed_out
        good = run.outcome is Outcome.PASSED and not run.evidence.recovered and bool(run.evidence.exchanges)
        if good and not handed_out and self._steady.repeats(run):
            return
        if (good or handed_out) and not self._closed:
            self._thread.submit(self._safely, self._take if good else self._drop, run)

    async def reference(self, check: Check) -> Reference | None:
        """Return the last good run of a check, or ``None`` where there is none that is young enough."""
        return await self._in_thread(lambda: self._reference(check.name), None)

    async def retain(self, checks: Iterable[Check]) -> None:
        """Remove what is kept of checks that are no more."""
        names = {_folder_name(check.name) for check in checks}
        await self._in_thread(lambda: self._retain(names), None)

    async def close(self) -> None:
        """Write what was noted, and end the thread."""
        if not self._closed:
            self._thread.submit(self._catch_up)
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown, wait=True)

    async def _in_thread(self, work: Callable[[], T], otherwise: T) -> T:
        if self._closed:
            return otherwise
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            _log.warning("what is kept of the last good run cannot be used", extra={"error": str(error)})
            return otherwise

    def _safely(self, work: Callable[[Run], None], run: Run) -> None:
        try:
            work(run)
        except OSError as error:
            _log.warning("a good run could not be kept", extra={"check": run.check.name, "error": str(error)})
        except Exception:  # noqa: BLE001 - nobody waits for this thread, so it says itself what went wrong
            _log.exception("a good run could not be kept", extra={"check": run.check.name})

    def _wanted(self, name: str) -> str:
        kept = self._of(name)
        if kept is not None and kept.archived_at is not None:
            fresh = self._clock.now() - kept.archived_at < min(ARCHIVE_AGE, self._max_age)
            if fresh and kept.archived_code == kept.code and Path(kept.reference.archive).is_dir():
                return ""
        elif self._bytes() >= MOST_BYTES:
            return ""
        folder = self._folder(name)
        for private in (self._root, folder):
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handed_out[name] = folder / f"{_ARCHIVE}{secrets.token_hex(6)}"
        return str(self._handed_out[name])

    def _take(self, run: Run) -> None:
        name = run.check.name
        before = self._of(name)
        fresh = self._handed_out.pop(name, None)
        code = digest_of(run.evidence)
        now = run.started_at
        kept = Kept(schema=SCHEMA, check=name, reference=Reference(run_id=run.run_id, taken_at=now), code=code)
        archive = fresh if fresh is not None and (fresh / "index.json").is_file() else None
        if archive is not None:
            kept = replace(kept, archived_code=code, archived_at=now, archive_bytes=_size(archive))
        elif before is not None and before.reference.archive and self._is_ours(before.reference.archive):
            archive = Path(before.reference.archive)
            kept = replace(
                kept,
                archived_code=before.archived_code,
                archived_at=before.archived_at,
                archive_bytes=before.archive_bytes,
            )
        kept = replace(kept, reference=reference_of(run, archive))
        if _is_http(run.evidence):
            kept = _as_http(kept, before)
            self._rests_until[name] = (kept.archived_at or now) + min(ARCHIVE_AGE, self._max_age)
        self._write(name, kept)
        if _is_http(run.evidence):
            # Only what is kept may be taken for known.
            self._steady.learn(run, ((method, url) for method, url, _ in kept.changing))
        self._sweep(name, archive)

    def _catch_up(self) -> None:
        """Write which good runs came last, of those that were kept in memory alone."""
        for name in self._steady.ahead:
            kept = self._kept.get(name)
            if kept is not None:
                try:
                    self._write(name, replace(kept, reference=self._steady.refreshed(name, kept.reference)))
                except OSError as error:
                    _log.warning("a good run could not be kept", extra={"check": name, "error": str(error)})

    def _drop(self, run: Run) -> None:
        """Remove what a run left that did not pass."""
        name = run.check.name
        self._handed_out.pop(name, None)
        kept = self._of(name)
        self._sweep(name, Path(kept.reference.archive) if kept and kept.reference.archive else None)

    def _reference(self, name: str) -> Reference | None:
        kept = self._of(name)
        if kept is None:
            return None
        reference = self._steady.refreshed(name, kept.reference)
        if self._clock.now() - reference.taken_at > self._max_age:
            return None
        if kept.changing:
            often = {(method, url) for method, url, _ in kept.changing}
            told = (replace(x, sha256=None) if (x.method, x.url) in often else x for x in reference.answers)
            reference = replace(reference, answers=tuple(told))
        archive = reference.archive
        old = kept.archived_at is None or self._clock.now() - kept.archived_at > self._max_age
        if archive and (old or not Path(archive).is_dir()):
            answers = tuple(replace(answer, replayable=False) for answer in reference.answers)
            return replace(reference, archive="", answers=answers)
        return reference

    def _of(self, name: str) -> Kept | None:
        if name not in self._kept:
            found = self._read(self._root, name)
            if found is None and self._beside is not None:
                # Whoever writes there goes on doing so: what was read may be newer next time.
                return self._read(self._beside, name)
            self._kept[name] = found
        return self._kept[name]

    def _read(self, root: Path, name: str) -> Kept | None:
        folder = root / _folder_name(name)
        try:
            kept = self._codec.decode((folder / _FILE).read_bytes(), Kept)
        except FileNotFoundError:
            return None
        except (OSError, WireError) as error:
            _log.warning("what is kept of a good run cannot be read", extra={"check": name, "error": str(error)})
            return None
        if kept.schema != SCHEMA or kept.check != name:
            return None
        archive = kept.reference.archive
        return replace(kept, reference=replace(kept.reference, archive=str(folder / archive) if archive else ""))

    def _write(self, name: str, kept: Kept) -> None:
        folder = self._folder(name)
        for private in (self._root, folder):
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
        archive = Path(kept.reference.archive).name if kept.reference.archive else ""
        data = self._codec.encode(replace(kept, reference=replace(kept.reference, archive=archive)))
        beside = folder / f".{_FILE}.new"
        beside.write_bytes(data)
        beside.chmod(0o600)
        beside.replace(folder / _FILE)
        self._kept[name] = kept

    def _sweep(self, name: str, archive: Path | None) -> None:
        folder = self._folder(name)
        with contextlib.suppress(FileNotFoundError):
            for path in folder.iterdir():
                if path.name.lstrip(".").startswith(_ARCHIVE) and path != archive:
                    shutil.rmtree(path, ignore_errors=True)

    def _retain(self, names: set[str]) -> None:
        with contextlib.suppress(FileNotFoundError):
            for path in self._root.iterdir():
                if path.is_dir() and path.name not in names:
                    shutil.rmtree(path, ignore_errors=True)
        for name in [name for name in self._kept if _folder_name(name) not in names]:
            del self._kept[name]
            self._rests_until.pop(name, None)
            self._steady.forget(name)

    def _bytes(self) -> int:
        return sum(kept.archive_bytes for kept in self._kept.values() if kept is not None)

    def _is_ours(self, archive: str) -> bool:
        return Path(archive).is_relative_to(self._root) and Path(archive).is_dir()

    def _folder(self, name: str) -> Path:
        return self._root / _folder_name(name)


def _folder_name(check: str) -> str:
    return hashlib.sha256(check.encode()).hexdigest()[:24]


def _is_http(evidence: Evidence) -> bool:
    return all(exchange.resource == "http" for exchange in evidence.exchanges[:1])


def _as_http(kept: Kept, before: Kept | None) -> Kept:
    """Return what is kept of an HTTP run, with what the good runs before it tell of its answers."""
    answers = kept.reference.answers
    earlier = {(x.method, x.url): x for x in before.reference.answers} if before is not None else {}
    known = {(method, url): at for method, url, at in before.changing} if before is not None else {}
    found = changes(answers, earlier, known, kept.reference.taken_at)
    return replace(
        kept,
        reference=replace(kept.reference, answers=with_addresses(answers, earlier)),
        changing=tuple((method, url, at) for (method, url), at in found.items()),
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
