from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from monitor.domain.evidence import ScriptTime
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.history.last_good import LastGood
from monitor.probes.archive import ArchivedAnswer, write_archive
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange

CHECK = a_check()
SCRIPT = "https://cdn.example/lib.js"
DAY = dt.timedelta(hours=24)


class MovedClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.minutes = 0.0

    def now(self) -> dt.datetime:
        return A_MOMENT + dt.timedelta(minutes=self.minutes)

    def elapsed(self) -> float:
        return 60 * self.minutes


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def last_good(tmp_path: Path, clock: MovedClock):
    kept = LastGood(tmp_path / "last-good", clock=clock, max_age=DAY)
    yield kept
    await kept.close()


def an_ended_run(number: int = 1, *, sha256: str = "a", outcome: Outcome = Outcome.PASSED, **values) -> Run:
    page = an_exchange(resource="document", headers=(("content-security-policy", "x"), ("server", "y")))
    script = an_exchange(id="2", url=SCRIPT, host="cdn.example", resource="script", body_sha256=sha256, step="open")
    evidence = an_evidence(
        started_at=A_MOMENT + dt.timedelta(minutes=number),
        exchanges=(page, script),
        scripts=(ScriptTime(url=SCRIPT, seconds=0.2, step="a"), ScriptTime(url=SCRIPT, seconds=0.3, step="b")),
        **values,
    )
    judgement = Judgement(outcome=outcome, validity=Validity.VALID)
    return a_run(run_id=f"run-{number}", evidence=evidence, judgement=judgement)


def is_there(folder: str) -> bool:
    return Path(folder).is_dir()


async def a_good_run(last_good: LastGood, number: int = 1, **values) -> str:
    """Make a run that archives what it is asked to; return the folder."""
    folder = await last_good.wanted(CHECK)
    if folder:
        write_archive(Path(folder), [ArchivedAnswer(url=SCRIPT, body=b"1")])
    last_good.note(an_ended_run(number, **values))
    return folder


async def test_a_run_that_passed_is_remembered_with_hashes_policies_and_script_times(last_good):
    await a_good_run(last_good)
    found = await last_good.reference(CHECK)
    assert found is not None
    assert found.run_id == "run-1"
    assert found.answers[0].headers == (("content-security-policy", "x"),)
    assert (found.answers[1].sha256, found.answers[1].step, found.answers[1].replayable) == ("a", "open", True)
    assert found.answers[0].replayable is False
    assert found.scripts == ((SCRIPT, 0.5),)


async def test_nothing_is_known_before_the_first_good_run(last_good):
    assert await last_good.reference(CHECK) is None


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.DEGRADED, Outcome.INCONCLUSIVE])
async def test_a_run_that_did_not_plainly_pass_replaces_nothing_and_leaves_no_archive(last_good, tmp_path, outcome):
    await a_good_run(last_good)
    last_good.note(an_ended_run(2, sha256="b"))
    assert await a_good_run(last_good, 3, outcome=outcome)
    found = await last_good.reference(CHECK)
    assert found is not None
    assert found.run_id == "run-2"
    assert list(tmp_path.rglob("archive-*")) == [Path(found.archive)]


async def test_a_run_that_recovered_is_no_good_run(last_good):
    attempts = (an_attempt(outcome=Outcome.FAILED), an_attempt(number=2))
    last_good.note(an_ended_run(attempts=attempts))
    assert await last_good.reference(CHECK) is None


async def test_the_next_runs_need_not_archive_while_the_code_stays_and_the_archive_is_young(last_good, clock):
    assert await a_good_run(last_good)
    assert await a_good_run(last_good, 2) == ""
    clock.minutes = 62
    assert await a_good_run(last_good, 61)


async def test_changed_code_is_archived_anew_and_the_older_archive_removed(last_good, tmp_path):
    first = await a_good_run(last_good)
    await a_good_run(last_good, 2, sha256="b")
    second = await a_good_run(last_good, 3, sha256="b")
    assert second
    found = await last_good.reference(CHECK)
    assert found is not None
    assert found.archive == second
    assert not is_there(first)


async def test_what_is_too_old_is_not_handed_out(last_good, clock):
    await a_good_run(last_good)
    clock.minutes = 25 * 60
    assert await last_good.reference(CHECK) is None


async def test_it_is_still_there_after_a_restart(last_good, tmp_path, clock):
    await a_good_run(last_good)
    await last_good.close()
    again = LastGood(tmp_path / "last-good", clock=clock, max_age=DAY)
    found = await again.reference(CHECK)
    assert found is not None
    assert is_there(found.archive)
    assert await again.wanted(CHECK) == ""
    await again.close()


async def test_a_damaged_file_is_no_good_run_and_is_replaced_by_the_next(last_good, tmp_path, clock):
    await a_good_run(last_good)
    await last_good.close()
    (file,) = (tmp_path / "last-good").rglob("reference")
    file.write_bytes(b"no")
    again = LastGood(tmp_path / "last-good", clock=clock, max_age=DAY)
    assert await again.reference(CHECK) is None
    assert await a_good_run(again, 2)
    assert await again.reference(CHECK) is not None
    await again.close()


async def test_an_archive_that_is_gone_is_not_promised(last_good):
    folder = await a_good_run(last_good)
    assert await last_good.reference(CHECK) is not None
    shutil.rmtree(folder)
    found = await last_good.reference(CHECK)
    assert found is not None
    assert found.archive == ""
    assert not any(answer.replayable for answer in found.answers)


async def test_what_another_process_keeps_is_read_but_never_touched(last_good, tmp_path, clock):
    folder = await a_good_run(last_good)
    await last_good.close()
    single = LastGood(tmp_path / "own", clock=clock, max_age=DAY, beside=tmp_path / "last-good")
    found = await single.reference(CHECK)
    assert found is not None
    assert found.archive == folder
    await a_good_run(single, 5, sha256="c")
    newer = await single.reference(CHECK)
    assert newer is not None
    assert newer.run_id == "run-5"
    assert is_there(folder)
    await single.close()


async def test_checks_that_are_no_more_leave_nothing(last_good, tmp_path):
    await a_good_run(last_good)
    await last_good.retain([])
    assert list((tmp_path / "last-good").iterdir()) == []
    assert await last_good.reference(CHECK) is None


async def test_everything_is_for_us_alone(last_good, tmp_path):
    await a_good_run(last_good)
    await last_good.close()
    assert {oct(path.stat().st_mode & 0o077) for path in (tmp_path / "last-good").rglob("*")} == {"0o0"}


async def test_a_disk_that_refuses_costs_the_archive_and_not_the_run(tmp_path, clock):
    (tmp_path / "file").write_text("")
    kept = LastGood(tmp_path / "file" / "below", clock=clock, max_age=DAY)
    assert await kept.wanted(CHECK) == ""
    kept.note(an_ended_run())
    assert await kept.reference(CHECK) is None
    await kept.close()
