"""What has been kept long enough goes, and nothing else."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from monitor.config.settings import StorageSettings
from tests.history.runs import CHECK, a_failed_run, a_passed_run, a_slot, at

DAY = dt.timedelta(days=1)


@pytest.fixture
def keeping(storage: StorageSettings) -> StorageSettings:
    return StorageSettings(
        directory=storage.directory,
        url=storage.url,
        keep_runs=30 * DAY,
        keep_evidence=7 * DAY,
        artifact_quota_bytes=200_000,
    )


async def test_runs_go_when_their_time_is_over_with_all_that_hangs_on_them(keeping, opened):
    history = await opened(keeping)
    await history.finished(a_failed_run(0))
    await history.plan([a_slot(1)])
    await history.finished(a_failed_run(60 * 24))
    folder = history.artifacts.directory("run-browse-0")
    (folder / "screenshot.png").write_bytes(b"x")
    removed = await history.retain(at(0) + 30 * DAY + dt.timedelta(minutes=2))
    assert removed.slots == 2
    assert not folder.exists()
    assert [run.scheduled_at for run in await history.recent(CHECK)] == [at(60 * 24)]
    assert [share.runs for share in await history.causes(at(-1))] == [1]
    assert await history.run("run-browse-0") is None


async def test_a_good_run_keeps_its_lean_evidence_when_the_full_one_goes(keeping, opened):
    history = await opened(keeping)
    await history.finished(a_passed_run(0))
    await history.finished(a_failed_run(1))
    assert not (await history.run("run-browse-0")).lean
    removed = await history.retain(at(0) + 8 * DAY)
    assert (removed.slots, removed.evidence) == (0, 1)
    assert (await history.run("run-browse-0")).lean
    assert not (await history.run("run-browse-1")).lean


async def test_many_old_slots_go_in_batches_and_results_are_taken_meanwhile(keeping, opened):
    history = await opened(keeping)
    await history.plan([a_slot(minute) for minute in range(1200)])
    removed = await history.retain(at(0) + 40 * DAY)
    assert removed.slots == 1200
    await history.finished(a_passed_run(60 * 24 * 40))
    assert len(await history.recent(CHECK)) == 1


async def test_a_file_shrinks_when_runs_have_gone(sqlite_storage, opened):
    history = await opened(sqlite_storage)
    await history.plan([a_slot(minute) for minute in range(20_000)])
    await history._perform(lambda connection: None)
    await history.retain(at(0) + dt.timedelta(days=200))
    pages = await history._ask(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())
    assert pages < 60


async def test_artifacts_that_belong_to_no_run_are_swept(keeping, opened):
    history = await opened(keeping)
    history.started(CHECK, at(0), "known", at(0))
    for run_id in ("orphan", "known", "young"):
        (history.artifacts.directory(run_id) / "screenshot.png").write_bytes(b"x" * 100)
    moment = at(0).timestamp() - 7 * 3600
    for run_id in ("orphan", "known"):
        folder = history.artifacts.directory(run_id)
        os.utime(folder / "screenshot.png", (moment, moment))
    removed = await history.retain(at(0))
    assert removed.orphans == 1
    assert history.artifacts.names("orphan") == ()
    assert history.artifacts.names("known") == ("screenshot.png",)
    assert history.artifacts.names("young") == ("screenshot.png",)


async def test_a_run_that_is_under_way_keeps_its_artifacts_whatever_the_quota(keeping, opened):
    history = await opened(keeping)
    (history.artifacts.directory("under-way") / "trace.zip").write_bytes(b"x" * 300_000)
    assert (await history.retain(at(10))).artifact_runs == 0
    assert history.artifacts.names("under-way") == ("trace.zip",)


async def test_artifacts_over_their_quota_go_oldest_first_and_that_is_told(keeping, opened, caplog):
    history = await opened(keeping)
    for number in range(5):
        path = history.artifacts.directory(f"run-browse-{number}") / "screenshot.png"
        path.write_bytes(b"x" * 60_000)
        await history.finished(a_failed_run(number))
        moment = at(number).timestamp()
        os.utime(path, (moment, moment))
    removed = await history.retain(at(10))
    assert removed.artifact_runs == 2
    assert removed.artifact_bytes <= 200_000
    assert [bool(history.artifacts.names(f"run-browse-{number}")) for number in range(5)] == [
        False, False, True, True, True,
    ]  # fmt: skip
    assert "over their quota" in caplog.text
    assert len(await history.recent(CHECK)) == 5
