"""Opens history: lock, soundness, schema; whatever is in the way is said in one sentence."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from monitor.config.settings import StorageSettings
from monitor.domain.clock import Clock
from monitor.history.database import Database, Meaning, hold_alone, meaning_of
from monitor.history.disk import Ballast, free_bytes, network_file_system, prepare_directory
from monitor.history.lock import DirectoryLock
from monitor.history.migrate import bring_up_to_date
from monitor.history.quarantine import earlier_quarantine, is_sound, put_aside
from monitor.history.values import HistoryError

_LOG = logging.getLogger(__name__)
_LITTLE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is open: the lock, and the one connection that writes."""

    database: Database
    connection: sa.Connection
    lock: DirectoryLock
    ballast: Ballast
    quarantined: Path | None
    checked: bool


def open_for_writing(storage: StorageSettings, clock: Clock) -> Opened:
    """Open history for this process alone. Raises HistoryError. Waits for the disk."""
    database = Database(storage)
    prepare_directory(storage.directory)
    lock = DirectoryLock(storage.directory)
    try:
        ballast = Ballast(storage.directory)
        quarantined, checked = _inspect(database, clock)
        connection = _connect(database, storage.directory, ballast)
        ballast.settle()
    except BaseException:
        lock.release()
        raise
    return Opened(
        database=database,
        connection=connection,
        lock=lock,
        ballast=ballast,
        quarantined=quarantined,
        checked=checked,
    )


def _inspect(database: Database, clock: Clock) -> tuple[Path | None, bool]:
    path = database.path
    if path is None:
        return None, True
    kind = network_file_system(path.parent)
    if kind is not None:
        msg = f"{path.parent} is on a network file system ({kind}), where SQLite loses data: use a local disk"
        raise HistoryError(msg)
    earlier = earlier_quarantine(path)
    if not path.exists():
        return earlier, True
    try:
        sound = is_sound(path)
    except Exception as error:
        msg = f"{path} cannot be opened: {error}{_space(path.parent)}"
        raise HistoryError(msg) from error
    if sound is False:
        try:
            folder = put_aside(path, clock.now())
        except OSError as error:
            msg = f"{path} is damaged and cannot be put aside ({error.strerror}): move it away by hand"
            raise HistoryError(msg) from error
        _LOG.error("the database is damaged; it was put aside and a new one begun", extra={"kept_in": str(folder)})
        return folder, True
    return earlier, sound is True


def _connect(database: Database, directory: Path, ballast: Ballast) -> sa.Connection:
    try:
        return _attempt(database)
    except DBAPIError as error:
        if meaning_of(error) in {Meaning.FULL, Meaning.TROUBLE} and ballast.held and _is_full(directory):
            ballast.throw_off()
            return _connect(database, directory, ballast)
        msg = f"{database.name} cannot be opened: {_one_line(error)}{_space(directory)}"
        raise HistoryError(msg) from error


def _attempt(database: Database) -> sa.Connection:
    connection = database.writing().connect()
    try:
        hold_alone(connection)
        bring_up_to_date(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_full(directory: Path) -> bool:
    free = free_bytes(directory)
    return free is not None and free < _LITTLE


def _space(directory: Path) -> str:
    return f"; the disk of {directory} is full: free some space" if _is_full(directory) else ""


def _one_line(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())
