"""A database of another schema is migrated or refused, never misread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import monitor.history.migrate
from monitor.history import HistoryError, Reader
from monitor.history.database import Database
from monitor.history.schema import METADATA, REVISION
from tests.history.runs import CHECK, a_passed_run

# A new database gets its tables in one migration, so a kill in the middle of it is a kill in the middle of a schema.
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from alembic.operations import Operations
from monitor.config.settings import StorageSettings
from monitor.domain.clock import SystemClock
from monitor.history import History

left = int(sys.argv[2])
create = Operations.create_table

def counting(self, *arguments, **options):
    global left
    made = create(self, *arguments, **options)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return made

Operations.create_table = counting
import alembic.op
alembic.op.create_table = lambda *a, **o: counting(alembic.op._proxy, *a, **o)
asyncio.run(History.open(StorageSettings(directory=Path(sys.argv[1])), clock=SystemClock()))
"""


@pytest.mark.parametrize("table", [1, 3, 5])
async def test_a_kill_in_a_migration_is_made_good_by_the_next_start(sqlite_storage, opened, table):
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, sqlite_storage.directory, str(table)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    with contextlib.closing(sqlite3.connect(sqlite_storage.directory / "history.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    history = await opened(sqlite_storage)
    await history.finished(a_passed_run(0))
    assert len(await history.recent(CHECK)) == 1
    assert history.status().quarantined is None


async def test_a_newer_schema_is_refused_with_the_way_out(opened, storage, clock):
    history = await opened(storage)
    await history.close()
    with Database(storage).writing().connect() as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HistoryError, match=r"schema 9999.*a newer program has used it"):
        await opened(storage)
    with pytest.raises(HistoryError, match="schema 9999, and this program reads schema"):
        await Reader.beside(storage, clock=clock)


async def test_migrations_lead_to_the_tables_that_the_program_uses(opened, storage):
    history = await opened(storage)
    await history.close()
    with Database(storage).writing().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


async def test_migrations_lead_to_the_very_tables_on_sqlite(opened, sqlite_storage, tmp_path):
    history = await opened(sqlite_storage)
    await history.close()

    def statements(path: Path) -> list[str]:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            return sorted(sql for name, sql in rows if name != "alembic_version")

    METADATA.create_all(sa.create_engine(f"sqlite:///{tmp_path / 'plain.db'}", poolclass=sa.NullPool))
    assert statements(sqlite_storage.directory / "history.db") == statements(tmp_path / "plain.db")


def test_the_program_expects_the_newest_migration():
    scripts = ScriptDirectory(Path(monitor.history.migrate.__file__).parent / "migrations")
    assert scripts.get_current_head() == REVISION


async def test_there_is_nothing_to_read_before_anything_was_recorded(sqlite_storage, clock):
    with pytest.raises(HistoryError, match="nothing has been recorded there yet"):
        await Reader.beside(sqlite_storage, clock=clock)
