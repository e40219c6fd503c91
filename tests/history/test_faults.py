"""What happens to results when the machine misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.config.settings import StorageSettings
from monitor.domain.outcome import SlotState
from monitor.domain.secret import Secret
from monitor.history import History, HistoryError, Reader, ResultLostError, RunFilter, WriterLimits, database
from monitor.history.database import Database
from tests.builders import a_run, an_evidence, an_exchange
from tests.history.runs import CHECK, a_failed_run, a_passed_run, a_slot, at

WRITER = Path(__file__).with_name("writing_process.py")


async def until(condition, *, limit: float = 30.0) -> None:
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - the writer is a thread, and what we wait for has no event
            await asyncio.sleep(0.01)


def big_run(minutes: float):
    """A failed run whose evidence hardly compresses, so that it takes room on a disk."""
    noise = random.Random(minutes).randbytes(30_000).hex()
    run = a_failed_run(minutes)
    evidence = an_evidence(started_at=at(minutes), exchanges=(an_exchange(failure_text=noise),))
    return a_run(
        run_id=run.run_id, check=run.check, scheduled_at=at(minutes), evidence=evidence, judgement=run.judgement
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB of our own."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Take all the room there is, but for ``leave`` bytes."""
    filler = disk / "filler"
    # To its end: what has been taken is not given back meanwhile, or the ballast would be taken up again.
    with filler.open("ab", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"x" * 4096)
    if leave:
        os.truncate(filler, max(filler.stat().st_size - leave, 0))
    return filler


# Death


def write_until_killed(storage: StorageSettings, *, first: int, alive: float | None) -> set[str]:
    """Run a writing process, kill it, and return the ids it said were committed.

    It is killed after some seconds, or as soon as it has said the first id.
    """
    process = subprocess.Popen(
        [sys.executable, WRITER, storage.directory, str(first)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    said = []
    if alive is None:
        said.append(process.stdout.readline().strip())
    else:
        time.sleep(alive)
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split()
    process.stdout.close()
    process.wait()
    return {word.decode() for word in said if word.endswith(b".")}


async def survive(storage: StorageSettings, rounds: int, clock) -> None:
    acknowledged: set[str] = set()
    randomness = random.Random(19)
    for number in range(rounds):
        # How long a first commit takes depends on the machine: one round waits for it, the others die anywhere.
        alive = None if number == 0 else randomness.uniform(0.0, 0.4)
        acknowledged |= write_until_killed(storage, first=number * 100_000, alive=alive)
    assert acknowledged, "the writer ended before it had committed anything"
    history = await History.open(storage, clock=clock)
    await history.reap(at(rounds * 100_000))
    kept = {run.run_id + "." for run in await history.runs(RunFilter(limit=10_000_000))}
    slots = await history.slots(CHECK, at(0))
    assert history.status().checked
    await history.close()
    assert acknowledged <= kept
    assert {slot.state for slot in slots} <= {SlotState.FINISHED, SlotState.LOST, SlotState.MISSED, SlotState.SKIPPED}
    assert len({slot.scheduled_at for slot in slots}) == len(slots)
    with contextlib.closing(sqlite3.connect(storage.directory / "history.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_kill_loses_no_acknowledged_result_and_every_slot_has_one_end(sqlite_storage, clock):
    await survive(sqlite_storage, 3, clock)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_two_hundred_kills_lose_no_acknowledged_result(sqlite_storage, clock):
    await survive(sqlite_storage, 200, clock)


async def test_a_second_process_is_refused_naming_the_first(sqlite_storage, opened):
    await opened(sqlite_storage)
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, WRITER, sqlite_storage.directory, "0"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert second.returncode == 1
    assert f"in use by another instance (process {os.getpid()})" in second.stderr


async def test_a_dead_instance_holds_nothing(sqlite_storage, opened):
    write_until_killed(sqlite_storage, first=0, alive=0.0)
    await opened(sqlite_storage)


# A full disk


async def test_results_wait_while_the_disk_is_full_and_are_written_when_there_is_room(small_disk, opened):
    history = await opened(StorageSettings(directory=small_disk / "data"))
    await history.finished(a_passed_run(0))
    filler = fill(small_disk)
    waiting = [asyncio.create_task(history.finished(big_run(minute))) for minute in range(1, 21)]
    await until(lambda: history.status().trouble is not None)
    status = history.status()
    assert status.trouble == "the disk is full"
    assert status.ballast_freed
    assert status.spooled > 0
    assert not status.healthy
    await history.plan([a_slot(100)])
    filler.unlink()
    await asyncio.gather(*waiting)
    await until(lambda: history.status().spooled == 0)
    assert history.status().trouble is None
    await until(lambda: history.status().healthy)
    assert not history.status().ballast_freed
    assert len(await history.recent(CHECK)) == 21
    assert [slot.state for slot in await history.slots(CHECK, at(100))] == [SlotState.PLANNED]


async def test_ballast_lets_results_through_when_the_disk_has_just_become_full(small_disk, opened):
    history = await opened(StorageSettings(directory=small_disk / "data"))
    await history.finished(a_passed_run(0))
    fill(small_disk)
    async with asyncio.timeout(30):
        for minute in range(1, 4):
            await history.finished(big_run(minute))
    assert history.status().ballast_freed


async def test_a_disk_that_is_full_at_the_start_is_named_as_the_reason(small_disk, opened):
    fill(small_disk)
    with pytest.raises(HistoryError, match=r"full: free some space|No space left on device"):
        await opened(StorageSettings(directory=small_disk / "data"))


async def test_a_full_spool_drops_the_oldest_and_says_so(small_disk, opened):
    limits = WriterLimits(window=0.002, retry=0.02, farewell=0.1, spool_bytes=200_000)
    history = await opened(StorageSettings(directory=small_disk / "data"), limits)
    fill(small_disk)
    history._opened.ballast.throw_off()
    fill(small_disk)
    waiting = [asyncio.create_task(history.finished(big_run(minute))) for minute in range(1, 21)]
    with pytest.raises(ResultLostError, match="the spool is full"):
        await waiting[0]
    assert history.status().dropped > 0
    await until(lambda: history.status().spooled_bytes <= 200_000)
    await history.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, ResultLostError) for result in results)


# Damage


async def with_some_runs(storage: StorageSettings, opened) -> Path:
    history = await opened(storage)
    for minute in range(30):
        await history.finished(big_run(minute))
    await history.close()
    return storage.directory / "history.db"


def overwrite(path: Path, where: int, length: int = 4096) -> None:
    with path.open("r+b") as stream:
        stream.seek(where)
        stream.write(b"\xa5" * length)


@pytest.mark.parametrize("where", [0, 8 * 4096], ids=["header", "page"])
async def test_a_damaged_database_is_kept_aside_and_said_to_be(sqlite_storage, opened, where, caplog):
    path = await with_some_runs(sqlite_storage, opened)
    overwrite(path, where)
    damaged = path.read_bytes()
    history = await opened(sqlite_storage)
    folder = history.status().quarantined
    assert folder is not None
    assert (folder / "history.db").read_bytes() == damaged
    assert not history.status().healthy
    assert "damaged" in caplog.text
    await history.finished(a_passed_run(100))
    assert len(await history.recent(CHECK)) == 1
    await history.close()
    again = await opened(sqlite_storage)
    assert again.status().quarantined == folder


async def test_damage_that_shows_while_running_costs_no_new_result(sqlite_storage, opened, caplog):
    history = await opened(sqlite_storage)
    path = sqlite_storage.directory / "history.db"
    for minute in range(30):
        await history.finished(big_run(minute))
    await history._perform(lambda connection: None)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    for page in range(path.stat().st_size // 4096):
        overwrite(path, page * 4096)
    await history.finished(a_passed_run(100))
    folder = history.status().quarantined
    assert folder is not None
    assert (folder / "history.db").exists()
    assert [run.scheduled_at for run in await history.recent(CHECK)] == [at(100)]


async def test_a_truncated_log_leaves_a_sound_database(sqlite_storage, opened, tmp_path):
    history = await opened(sqlite_storage)
    for minute in range(10):
        await history.finished(a_passed_run(minute))
    copy = StorageSettings(directory=tmp_path / "copy")
    shutil.copytree(sqlite_storage.directory, copy.directory, ignore=shutil.ignore_patterns("lock", "*-shm"))
    log = copy.directory / "history.db-wal"
    os.truncate(log, log.stat().st_size * 2 // 3)
    opened_copy = await opened(copy)
    runs = await opened_copy.recent(CHECK)
    assert [run.scheduled_at for run in reversed(runs)] == [at(minute) for minute in range(len(runs))]
    assert opened_copy.status().quarantined is None


# Others at the file


async def test_results_wait_while_another_program_holds_the_database(sqlite_storage, opened):
    history = await opened(sqlite_storage)
    await history.finished(a_passed_run(0))
    with contextlib.closing(sqlite3.connect(sqlite_storage.directory / "history.db", isolation_level=None)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        waiting = [asyncio.create_task(history.finished(a_passed_run(minute))) for minute in range(1, 6)]
        await until(lambda: history.status().trouble is not None)
        assert "locked" in history.status().trouble
        assert not any(task.done() for task in waiting)
        history.started(CHECK, at(50), "run-50", at(50))
        foreign.execute("COMMIT")
    await asyncio.gather(*waiting)
    assert len(await history.recent(CHECK)) == 6
    assert history.status().dropped == 0


async def test_a_long_question_is_ended_and_the_log_stays_small(sqlite_storage, opened, clock):
    history = await opened(sqlite_storage)
    await history.finished(a_passed_run(0))
    reader = Reader(Database(sqlite_storage), clock=clock, limit=0.3)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n, slots"
    asked = asyncio.create_task(reader._ask(lambda connection: connection.exec_driver_sql(endless).scalar()))
    for minute in range(1, 40):
        await history.finished(big_run(minute))
    with pytest.raises(HistoryError, match=r"took longer than 0.3 s"):
        await asked
    for minute in range(40, 200):
        await history.finished(big_run(minute))
    await reader.close()
    assert (sqlite_storage.directory / "history.db-wal").stat().st_size < 16 * 1024 * 1024


async def test_readers_cannot_write(sqlite_storage, opened):
    history = await opened(sqlite_storage)
    with pytest.raises(HistoryError, match="readonly"):
        await history._ask(lambda connection: connection.exec_driver_sql("DELETE FROM slots"))


async def test_a_read_only_directory_is_refused_with_the_reason(small_disk, opened):
    directory = small_disk / "data"
    directory.mkdir()
    await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(HistoryError, match=r"Read-only file system.*give storage.directory a writable place"):
        await opened(StorageSettings(directory=directory))


async def test_a_network_file_system_is_recognised(tmp_path):
    from monitor.history.disk import network_file_system

    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    assert network_file_system(tmp_path / "data", mounts) == "nfs4"
    assert network_file_system(Path("/"), mounts) is None


async def test_a_url_that_is_none_is_refused_without_repeating_its_password(tmp_path, opened):
    for url in ("mysql://faultline:hunter22@db/history", "hunter22"):
        with pytest.raises(HistoryError, match=r"storage\.url") as caught:
            await opened(StorageSettings(directory=tmp_path, url=Secret("storage_url", url)))
        assert "hunter22" not in str(caught.value)


# PostgreSQL


async def test_results_wait_while_postgresql_is_away(postgresql, postgresql_storage, opened):
    history = await opened(postgresql_storage)
    await history.finished(a_passed_run(0))
    postgresql.stop()
    try:
        waiting = [asyncio.create_task(history.finished(a_passed_run(minute))) for minute in range(1, 6)]
        await until(lambda: history.status().trouble is not None)
    finally:
        postgresql.start()
    await asyncio.gather(*waiting)
    assert len(await history.recent(CHECK)) == 6


async def test_a_second_instance_on_the_same_postgresql_is_refused(postgresql_storage, opened, tmp_path):
    await opened(postgresql_storage)
    other = StorageSettings(directory=tmp_path / "other", url=postgresql_storage.url)
    with pytest.raises(HistoryError, match=f"in use by another instance .faultline {os.getpid()}@"):
        await opened(other)


async def test_a_monitor_that_is_restarted_waits_until_postgresql_lets_go_of_the_one_before(
    postgresql_storage, opened, tmp_path, monkeypatch
):
    monkeypatch.setattr(database, "_PATIENCE", "60s")
    before = await opened(postgresql_storage)
    other = StorageSettings(directory=tmp_path / "other", url=postgresql_storage.url)
    after = asyncio.create_task(opened(other))
    await asyncio.to_thread(_wait_for_a_waiting_lock, postgresql_storage)
    assert not after.done()
    await before.close()
    await (await after).finished(a_passed_run(0))


def _wait_for_a_waiting_lock(storage: StorageSettings) -> None:
    import psycopg

    end = time.monotonic() + 60
    with psycopg.connect(storage.url.reveal().replace("+psycopg", ""), autocommit=True) as connection:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while connection.execute(waiting).fetchone() == (0,):
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.01)


# Backups


async def test_a_backup_under_load_is_a_consistent_beginning(sqlite_storage, opened, tmp_path):
    history = await opened(sqlite_storage)
    await history.finished(a_passed_run(0))
    writing = asyncio.create_task(_write_many(history))
    await history.backup(tmp_path / "backup.db")
    await writing
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    restored = StorageSettings(directory=tmp_path / "restored")
    restored.directory.mkdir()
    shutil.copy(tmp_path / "backup.db", restored.directory / "history.db")
    copy = await opened(restored)
    minutes = sorted(run.scheduled_at for run in await copy.runs(RunFilter(limit=1000)))
    assert minutes == [at(minute) for minute in range(len(minutes))]
    assert copy.status().checked


async def _write_many(history) -> None:
    for minute in range(1, 100):
        await history.finished(a_passed_run(minute))


async def test_a_backup_overwrites_nothing(sqlite_storage, opened, tmp_path):
    history = await opened(sqlite_storage)
    (tmp_path / "taken").touch()
    with pytest.raises(HistoryError, match="exists: name a new file"):
        await history.backup(tmp_path / "taken")
