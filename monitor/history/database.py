"""Connections: the one that writes, those that read, and what an error of a database means."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from monitor.config.settings import StorageSettings
from monitor.history.values import HistoryError, InUseError

READ_LIMIT = 5.0
"""Seconds that one read may take; then it is ended, so that it cannot keep the write-ahead log from shrinking."""

_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TROUBLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_PERM,
    },
)
_FULL = frozenset({sqlite3.SQLITE_FULL})
_ADVISORY_KEY = 0x6661756C74  # "fault"


class Meaning(StrEnum):
    """What an error says about the database rather than about the statement."""

    FULL = "full"
    TROUBLE = "trouble"
    CORRUPT = "corrupt"
    REFUSED = "refused"


def meaning_of(error: DBAPIError) -> Meaning:
    """Tell whether to wait and try again, to put the database aside, or to blame what was written."""
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        code = getattr(orig, "sqlite_errorcode", None)
        code = code & 0xFF if code is not None else None
        if code in _CORRUPT:
            return Meaning.CORRUPT
        if code in _FULL:
            return Meaning.FULL
        return Meaning.TROUBLE if code in _TROUBLE else Meaning.REFUSED
    if getattr(orig, "sqlstate", None) == "53100":
        return Meaning.FULL
    waiting = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return Meaning.TROUBLE if waiting else Meaning.REFUSED


class Database:
    """Where history is: makes the engine that writes and the engine that reads."""

    def __init__(self, storage: StorageSettings) -> None:
        """Understand the settings. Raises HistoryError where the URL is of no use."""
        self.path = None if storage.url else storage.directory / "history.db"
        try:
            self._url = sa.make_url(storage.url.reveal()) if storage.url else None
        except ArgumentError:
            # The URL holds a password, so neither it nor the library's words about it may be repeated.
            msg = "storage.url is not a database URL: write postgresql+psycopg://user:password@host/database"
            raise HistoryError(msg) from None
        if self._url is not None and self._url.get_backend_name() == "sqlite" and self._url.database:
            self.path = Path(self._url.database)
        elif self._url is not None and self._url.drivername != "postgresql+psycopg":
            msg = f"storage.url names {self._url.drivername!r}, but only postgresql+psycopg:// and SQLite are supported"
            raise HistoryError(msg)

    @property
    def name(self) -> str:
        """Return where the database is, without any password."""
        return str(self.path) if self.path else self._postgresql().render_as_string(hide_password=True)

    def writing(self) -> sa.Engine:
        """Return the engine of the one connection that writes and checkpoints."""
        if self.path is not None:
            return _sqlite_writing(self.path)
        return self._postgresql_engine({"application_name": f"faultline {os.getpid()}@{socket.gethostname()}"})

    def reading(self, limit: float = READ_LIMIT) -> sa.Engine:
        """Return the engine of connections that can do nothing but read, each statement for ``limit`` seconds."""
        if self.path is not None:
            return _sqlite_reading(self.path, limit)
        options = f"-c default_transaction_read_only=on -c statement_timeout={int(limit * 1000)}"
        return self._postgresql_engine({"application_name": "faultline reader", "options": options}, pool_size=2)

    def copying(self) -> sa.Engine:
        """Return the engine of a connection that reads SQLite for as long as it takes."""
        assert self.path is not None
        path = self.path
        return sa.create_engine("sqlite://", creator=lambda: _connect(path, "ro"), poolclass=NullPool)

    def _postgresql(self) -> sa.URL:
        assert self._url is not None
        return self._url

    def _postgresql_engine(self, arguments: dict[str, Any], **options: Any) -> sa.Engine:
        if not options:
            options["poolclass"] = NullPool
        else:
            options["pool_pre_ping"] = True
        # A server that vanished without a word is noticed within half a minute.
        keepalive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
        arguments = {"connect_timeout": 5, **keepalive, **arguments}
        try:
            return sa.create_engine(self._postgresql(), connect_args=arguments, hide_parameters=True, **options)
        except (ImportError, NoSuchModuleError) as error:
            msg = "PostgreSQL needs its driver: in the checkout, pip install '.[postgresql]'"
            raise HistoryError(msg) from error


def hold_alone(connection: sa.Connection) -> None:
    """Make sure that no other instance writes to the same PostgreSQL database; SQLite's directory is locked already."""
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
    try:
        connection.execute(sa.select(sa.func.pg_advisory_lock(_ADVISORY_KEY)))
    except OperationalError as error:
        connection.rollback()
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        holder = connection.execute(_ADVISORY_HOLDER, {"key": _ADVISORY_KEY & 0xFFFFFFFF}).scalar() or "unknown"
        connection.rollback()
        msg = f"the database is in use by another instance ({holder}): stop that one, or give this one its own database"
        raise InUseError(msg) from error
    connection.commit()


_LOCK_NOT_AVAILABLE = "55P03"
_PATIENCE = "2s"
"""A server lets go of a lock a moment after its holder has ended; a monitor that is restarted waits for that."""
_ADVISORY_HOLDER = sa.text(
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objid = :key LIMIT 1",
)


def _sqlite_writing(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: _connect_privately(path),
        poolclass=NullPool,
        hide_parameters=True,
    )

    def begin(connection: sa.Connection) -> None:
        # The driver would begin before data only, and a change of the schema would then not be one transaction.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", _prepare_writer)
    event.listen(engine, "begin", begin)
    return engine


def _prepare_writer(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "busy_timeout = 250",
        # Both of these take effect in a new database only.
        "page_size = 8192",
        "auto_vacuum = INCREMENTAL",
        "journal_mode = WAL",
        # FULL: a commit that was acknowledged is on the disk, also when the power fails the moment after.
        "synchronous = FULL",
        "wal_autocheckpoint = 500",
        "journal_size_limit = 16777216",
        "cache_size = -8192",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_reading(path: Path, limit: float) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: _connect(path, "ro"),
        poolclass=sa.QueuePool,
        pool_size=2,
        max_overflow=2,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_reader)
    event.listen(engine, "begin", _begin_with_limit(limit))
    return engine


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("busy_timeout = 2000", "query_only = ON", "wal_autocheckpoint = 0", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_with_limit(limit: float) -> Callable[[sa.Connection], None]:
    def begin(connection: sa.Connection) -> None:
        ends = time.monotonic() + limit
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(lambda: time.monotonic() > ends, 20_000)
        connection.exec_driver_sql("BEGIN")

    return begin


def _connect_privately(path: Path) -> sqlite3.Connection:
    # SQLite gives the files beside the database the permissions of the database.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        failure = sqlite3.OperationalError(f"{path}: {error.strerror}")
        failure.sqlite_errorcode = sqlite3.SQLITE_FULL if error.errno == errno.ENOSPC else sqlite3.SQLITE_CANTOPEN
        raise failure from error
    return _connect(path, "rwc")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    quoted = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(
        f"file:{quoted}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )
