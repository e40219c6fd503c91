from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from monitor.domain.exchange import Certificate, DnsFacts, TlsFacts
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement, Run
from monitor.history.last_good import LastGood
from monitor.history.steady import REFRESH
from monitor.probes.archive import ArchivedAnswer, write_archive
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange

CHECK = a_check()
URL = "https://api.shop.example/prices"
OTHER = "https://api.shop.example/settings"


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
    kept = LastGood(tmp_path / "last-good", clock=clock, max_age=dt.timedelta(hours=24))
    yield kept
    await kept.close()


def a_good_run(minute: float = 1, *, outcome: Outcome = Outcome.PASSED, recovered: bool = False, **values) -> Run:
    """A run of two requests over HTTP; ``values`` are those of the second one."""
    first = an_exchange(url=OTHER, host="api.shop.example", body_sha256="s", step="settings")
    second = an_exchange(**{"id": "2", "url": URL, "host": "api.shop.example", "body_sha256": "a", **values})
    attempts = (an_attempt(outcome=Outcome.FAILED), an_attempt(number=2)) if recovered else (an_attempt(),)
    evidence = an_evidence(
        started_at=A_MOMENT + dt.timedelta(minutes=minute), exchanges=(first, second), attempts=attempts
    )
    judgement = Judgement(outcome=outcome, validity=Validity.VALID)
    return a_run(run_id=f"run-{minute:g}", evidence=evidence, judgement=judgement)


async def the_reference(last_good: LastGood):
    found = await last_good.reference(CHECK)
    assert found is not None
    return found


def the_file(folder: Path) -> Path:
    (file,) = folder.rglob("reference")
    return file


async def test_a_good_http_run_is_remembered_with_how_its_answers_were_come_by(last_good):
    last_good.note(
        a_good_run(
            status=302,
            mime_type="application/json",
            body_bytes=7,
            headers=(("content-type", "application/json"), ("location", "https://b.example/x?code=1#y"), ("etag", "1")),
            address="192.0.2.1",
            dns=DnsFacts(addresses=("192.0.2.2", "192.0.2.1")),
            tls=TlsFacts(chain=(Certificate(subject="CN=a", issuer="CN=Some CA"),)),
        )
    )
    answer = (await the_reference(last_good)).answers[1]
    assert (answer.status, answer.mime_type, answer.sha256, answer.size) == (302, "application/json", "a", 7)
    assert answer.headers == (("content-type", "application/json"), ("location", "https://b.example/x"))
    assert answer.addresses == ("192.0.2.1", "192.0.2.2")
    assert answer.issuer == "CN=Some CA"


async def test_what_the_archive_holds_can_be_replayed(last_good):
    folder = await last_good.wanted(CHECK)
    write_archive(Path(folder), [ArchivedAnswer(url=URL, body=b"1")])
    last_good.note(a_good_run())
    found = await the_reference(last_good)
    assert found.archive == folder
    assert [answer.replayable for answer in found.answers] == [False, True]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.DEGRADED, Outcome.INCONCLUSIVE])
async def test_an_http_run_that_did_not_plainly_pass_replaces_nothing(last_good, outcome):
    last_good.note(a_good_run(1))
    last_good.note(a_good_run(2, body_sha256="b", outcome=outcome))
    last_good.note(a_good_run(3, body_sha256="b", recovered=True))
    assert (await the_reference(last_good)).run_id == "run-1"


async def test_a_run_that_was_answered_as_the_one_before_is_the_last_good_one_though_nothing_is_written(
    last_good, tmp_path
):
    last_good.note(a_good_run(1))
    await the_reference(last_good)
    file = the_file(tmp_path)
    file.unlink()
    last_good.note(a_good_run(2))
    found = await the_reference(last_good)
    assert (found.run_id, found.taken_at) == ("run-2", A_MOMENT + dt.timedelta(minutes=2))
    assert not file.exists()


async def test_a_run_that_was_answered_otherwise_is_written_at_once(last_good, tmp_path):
    last_good.note(a_good_run(1))
    await the_reference(last_good)
    file = the_file(tmp_path)
    file.unlink()
    last_good.note(a_good_run(2, status=204))
    found = await the_reference(last_good)
    assert (found.run_id, found.answers[1].status) == ("run-2", 204)
    assert file.exists()


async def test_which_run_came_last_outlives_the_process(last_good, tmp_path, clock):
    last_good.note(a_good_run(1))
    await the_reference(last_good)
    last_good.note(a_good_run(2))
    await last_good.close()
    again = LastGood(tmp_path / "last-good", clock=clock, max_age=dt.timedelta(hours=24))
    assert (await the_reference(again)).run_id == "run-2"
    await again.close()


async def test_of_an_answer_that_changes_between_good_runs_the_hash_says_nothing(last_good):
    last_good.note(a_good_run(1))
    last_good.note(a_good_run(2, body_sha256="b"))
    assert [answer.sha256 for answer in (await the_reference(last_good)).answers] == ["s", None]


async def test_an_answer_that_stays_as_it_is_for_a_while_counts_as_static_again(last_good):
    minutes = REFRESH / dt.timedelta(minutes=1)
    last_good.note(a_good_run(1))
    last_good.note(a_good_run(2, body_sha256="b"))
    await the_reference(last_good)
    last_good.note(a_good_run(3 + minutes, body_sha256="b"))
    assert [answer.sha256 for answer in (await the_reference(last_good)).answers] == ["s", "b"]


async def test_addresses_of_earlier_good_runs_are_known_too(last_good):
    last_good.note(a_good_run(1, address="192.0.2.1"))
    last_good.note(a_good_run(2, address="192.0.2.9", status=204))
    assert (await the_reference(last_good)).answers[1].addresses == ("192.0.2.9", "192.0.2.1")


async def test_the_next_runs_need_not_archive_for_an_hour_whether_or_not_there_was_something_to_keep(last_good, clock):
    assert await last_good.wanted(CHECK)
    last_good.note(a_good_run(0))
    await the_reference(last_good)
    clock.minutes = 59
    assert await last_good.wanted(CHECK) == ""
    clock.minutes = 61
    assert await last_good.wanted(CHECK)


async def test_after_a_run_that_failed_the_next_one_is_asked_to_archive_again(last_good):
    assert await last_good.wanted(CHECK)
    last_good.note(a_good_run(1, outcome=Outcome.FAILED))
    assert await last_good.wanted(CHECK)


async def test_a_check_that_was_removed_and_came_back_starts_anew(last_good):
    last_good.note(a_good_run(1))
    await the_reference(last_good)
    await last_good.retain([])
    last_good.note(a_good_run(2))
    assert (await the_reference(last_good)).run_id == "run-2"
    assert await last_good.wanted(CHECK) == ""
