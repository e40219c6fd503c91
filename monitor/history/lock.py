"""One instance on one data directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from monitor.history.values import HistoryError, InUseError


class DirectoryLock:
    """Holds a data directory for this process; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the directory, or raise InUseError naming the process that has it."""
        self._path = directory / "lock"
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            msg = f"{directory} cannot be written to ({error.strerror}): give storage.directory a writable place"
            raise HistoryError(msg) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._holder()
            os.close(self._file)
            msg = (
                f"{directory} is in use by another instance (process {holder}): "
                "stop that one, or give this one another storage.directory"
            )
            raise InUseError(msg) from error
        self._write_holder()

    def release(self) -> None:
        """Let go of the directory."""
        os.close(self._file)

    def _holder(self) -> str:
        return os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"

    def _write_holder(self) -> None:
        # A full disk does not keep us from holding the lock; the pid only makes the refusal of others clearer.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)
