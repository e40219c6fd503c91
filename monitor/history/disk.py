"""The data directory: that it can be used, how full the disk is, and a ballast that can be thrown off."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from pathlib import Path

from monitor.history.values import HistoryError

_LOG = logging.getLogger(__name__)
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"})
# With less room than this many times its size, it would soon have to be thrown off again.
_ROOM = 4


def prepare_directory(directory: Path) -> None:
    """Create the data directory for us alone, or raise HistoryError saying what keeps us from it."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.EPERM} or not directory.is_dir():
            msg = f"{directory} cannot be created or opened ({error.strerror}): give storage.directory a writable place"
            raise HistoryError(msg) from error


def network_file_system(directory: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """Return the kind of network file system that a directory is on, or ``None``."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    place = directory.resolve()
    found = max(
        ((Path(fields[1]), fields[2]) for fields in map(str.split, lines) if place.is_relative_to(fields[1])),
        key=lambda mount: len(mount[0].parts),
        default=None,
    )
    return found[1] if found and found[1] in _NETWORK else None


def free_bytes(directory: Path) -> int | None:
    """Return the space left for us, or ``None`` where the system does not tell."""
    try:
        facts = os.statvfs(directory)
    except OSError:
        return None
    return facts.f_bavail * facts.f_frsize


def file_size(path: Path) -> int:
    """Return the size of a file; one that is not there takes nothing."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


class Ballast:
    """A file that takes space while there is some, so that there is some left when the disk is full."""

    def __init__(self, directory: Path, *, size: int = 16 * 1024 * 1024) -> None:
        """Name the file; ``settle`` creates it."""
        self._path = directory / "ballast"
        self._size = size
        self._directory = directory
        self._weight = 0
        self.thrown_off = False

    @property
    def held(self) -> bool:
        """Say whether there is something to throw off."""
        return self._path.exists()

    def settle(self) -> None:
        """Create the file if it is missing and takes no more than a twentieth of the space that is left."""
        free = free_bytes(self._directory)
        if self.held or free is None:
            return
        size = min(self._size, free // 20)
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, max(size, 1))
            finally:
                os.close(file)
        except OSError:
            self._path.unlink(missing_ok=True)
        else:
            self.thrown_off = False

    def take_up_again(self) -> None:
        """Create the file anew once there is room for several such, so that the next full disk finds it there."""
        free = free_bytes(self._directory)
        if self.thrown_off and free is not None and free >= _ROOM * self._weight:
            self.settle()

    def throw_off(self) -> bool:
        """Remove the file; says whether that freed anything."""
        if not self.held:
            return False
        with contextlib.suppress(OSError):
            self._weight = self._path.stat().st_size
            self._path.unlink()
            self.thrown_off = True
            _LOG.error("disk full: ballast thrown off", extra={"path": str(self._path)})
            return True
        return False
