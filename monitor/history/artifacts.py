"""Files that runs leave: one folder for each run, bounded in all, removed when their time is over."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from monitor.history.values import HistoryError

_LOG = logging.getLogger(__name__)
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed, and what there is left."""

    runs: int = 0
    bytes: int = 0
    left_bytes: int = 0


class ArtifactStore:
    """Keeps artifacts below the data directory, for us alone; each method may wait for the disk: use a thread."""

    def __init__(self, directory: Path) -> None:
        """Keep everything below ``directory/artifacts``."""
        self._root = directory / "artifacts"
        self._lock = threading.Lock()
        self._handed_out: set[str] = set()

    def directory(self, run_id: str) -> Path:
        """Return the folder of a run, created for us alone, for a worker to put files into."""
        folder = self._folder(run_id)
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for private in (self._root, folder.parent, folder):
            private.chmod(0o700)
        self._handed_out.add(run_id)
        return folder

    def seal(self, run_id: str) -> None:
        """Make the files of a finished run private whatever they were, and remove its folder where it is empty."""
        if run_id not in self._handed_out:
            return
        self._handed_out.discard(run_id)
        folder = self._folder(run_id)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                path.chmod(0o700 if path.is_dir() else 0o600)
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.ENOENT}:
                raise

    def open(self, run_id: str, name: str) -> BinaryIO:
        """Open one file of a run for reading. Raises FileNotFoundError for whatever is not a plain file of that run."""
        if not _RUN_ID.match(run_id) or not _NAME.match(name):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        folder = os.open(self._folder(run_id), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
        finally:
            os.close(folder)
        if not _is_plain(file):
            os.close(file)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return os.fdopen(file, "rb")

    def names(self, run_id: str) -> tuple[str, ...]:
        """Return the names of the files of a run."""
        try:
            entries = sorted(self._folder(run_id).iterdir())
        except (FileNotFoundError, HistoryError):
            return ()
        return tuple(path.name for path in entries if path.is_file() and not path.is_symlink())

    def remove(self, run_ids: Iterable[str]) -> int:
        """Remove everything these runs left; return the bytes that were freed."""
        return sum(_remove(self._folder(run_id)) for run_id in run_ids if _RUN_ID.match(run_id))

    def untouched_since(self, moment: float) -> tuple[str, ...]:
        """Return the ids of runs whose folders were last touched before a moment (epoch seconds)."""
        with self._lock:
            names = tuple(path.name for touched, _, path in self._folders() if touched < moment)
        # Runs that never finished were not sealed either.
        for name in self._handed_out.intersection(names):
            self.seal(name)
        return names

    def keep_within(self, quota: int) -> Swept:
        """Remove the folders touched longest ago until everything together takes no more than ``quota`` bytes."""
        with self._lock:
            folders = sorted(self._folders(), key=lambda folder: folder[0])
            total = sum(size for _, size, _ in folders)
            runs = freed = 0
            for _, size, path in folders:
                if total - freed <= quota:
                    break
                if path.name in self._handed_out:
                    continue
                freed += size
                runs += 1
                _remove(path)
            if runs:
                _LOG.warning(
                    "artifacts over their quota; the oldest were removed", extra={"runs": runs, "bytes": freed}
                )
            return Swept(runs=runs, bytes=freed, left_bytes=total - freed)

    def _folders(self) -> Iterable[tuple[float, int, Path]]:
        for shard in _entries(self._root):
            for folder in _entries(shard):
                facts = [path.lstat() for path in folder.rglob("*")]
                touched = max((fact.st_mtime for fact in facts), default=folder.lstat().st_mtime)
                yield touched, sum(fact.st_blocks * 512 for fact in facts), folder

    def _folder(self, run_id: str) -> Path:
        if not _RUN_ID.match(run_id):
            msg = f"{run_id!r} cannot be the id of a run: letters, digits, hyphens and underscores only"
            raise HistoryError(msg)
        # The end of an id varies also where ids begin with the time.
        return self._root / run_id[-2:].lower() / run_id


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return []


def _is_plain(file: int) -> bool:
    return stat.S_ISREG(os.fstat(file).st_mode)


def _remove(folder: Path) -> int:
    freed = sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) if folder.is_dir() else 0
    shutil.rmtree(folder, ignore_errors=True)
    return freed
