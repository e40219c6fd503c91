"""A damaged database is kept, out of the way, and never silently replaced."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from pathlib import Path

CHECK_LIMIT = 5.0
"""Seconds that the check of a database may take when it is opened."""


def put_aside(path: Path, now: dt.datetime) -> Path:
    """Move a database with its log into a folder of its own, and return the folder."""
    stem = f"quarantine-{now:%Y%m%dT%H%M%SZ}"
    folder = path.parent / stem
    count = 1
    while folder.exists():
        count += 1
        folder = path.parent / f"{stem}-{count}"
    folder.mkdir(mode=0o700)
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        part = path.with_name(name)
        if part.exists():
            part.replace(folder / name)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return folder


def earlier_quarantine(path: Path) -> Path | None:
    """Return the newest folder with a damaged database that nobody has looked after yet."""
    return max(path.parent.glob("quarantine-*"), default=None)


def is_sound(path: Path, limit: float = CHECK_LIMIT) -> bool | None:
    """Say whether SQLite finds the whole database sound; ``None`` where it is too large to tell in time."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=2.0, check_same_thread=False)
    # A progress handler would not do: SQLite walks a whole table between two calls of it.
    bell = threading.Timer(limit, connection.interrupt)
    bell.daemon = True
    try:
        connection.execute("PRAGMA query_only = ON").close()
        bell.start()
        return bool(connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)])
    except sqlite3.DatabaseError as error:
        match error.sqlite_errorcode & 0xFF:
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return False
            case sqlite3.SQLITE_INTERRUPT | sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return None
            case _:
                raise
    finally:
        bell.cancel()
        if bell.is_alive():
            bell.join()
        connection.close()
