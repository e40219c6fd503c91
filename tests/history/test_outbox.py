"""Notifications in the store: there with their run or not at all, and only until they have ended."""

from __future__ import annotations

import asyncio

from monitor.history import Unsent
from tests.builders import an_evidence
from tests.history.runs import a_failed_run, a_passed_run, a_slot, at


def an_unsent(number: str = "1", minutes: float = 0, receiver: str = "oncall") -> Unsent:
    return Unsent(receiver=receiver, id=number, at=at(minutes), body='{"id": "✓"}')


def must_not(*_: object) -> None:
    raise AssertionError


async def test_what_is_told_of_a_run_is_there_with_it_over_a_restart_and_goes_when_it_ends(opened, storage):
    history = await opened(storage)
    later, first = an_unsent("2", 2), an_unsent("1", 1)
    history.keep(a_failed_run(0), lost=must_not, unsent=(later,))
    history.keep(a_failed_run(1), lost=must_not, unsent=(first, an_unsent("1", 1, "team")))
    await history.close()
    history = await opened(storage)
    assert await history.unsent() == (first, an_unsent("1", 1, "team"), later)
    assert [run.run_id for run in await history.recent(a_failed_run().check.name)] == ["run-browse-1", "run-browse-0"]
    history.notified("oncall", "1")
    history.notified("nobody", "7")
    await history.close()
    history = await opened(storage)
    assert await history.unsent() == (an_unsent("1", 1, "team"), later)


async def test_the_same_twice_is_one_and_one_of_a_run_that_came_too_late_is_kept(history):
    await history.plan([a_slot(0)])
    await history.reap(at(1))
    for run in (a_failed_run(0), a_failed_run(1)):
        history.keep(run, lost=must_not, unsent=(an_unsent(),))
    await history.finished(a_passed_run(2))
    assert await history.unsent() == (an_unsent(),)
    assert history.status().refused == 1


async def test_what_nobody_will_send_any_more_goes_after_a_day(history):
    for minute in (0, 30):
        history.keep(a_failed_run(minute), lost=must_not, unsent=(an_unsent(str(minute), minute),))
    await history.finished(a_passed_run(31))
    await history.retain(at(24 * 60 + 15))
    assert [one.id for one in await history.unsent()] == ["30"]


async def test_whoever_tells_it_hears_when_its_run_is_stored_and_when_it_is_lost(history):
    heard: list[str] = []
    broken = a_passed_run(1, evidence=an_evidence(started_at=at(1), engine=object()))
    history.keep(a_failed_run(0), lost=must_not, settled=lambda: heard.append("nobody is told"))
    history.keep(a_failed_run(2), lost=must_not, unsent=(an_unsent(),), settled=lambda: heard.append("stored"))
    history.keep(
        broken, lost=lambda *_: heard.append("lost"), unsent=(an_unsent("2"),), settled=lambda: heard.append("told")
    )
    await history.finished(a_passed_run(3))
    await asyncio.sleep(0)
    assert sorted(heard) == ["lost", "stored", "told"]
    await history.close()
    history.keep(a_failed_run(4), lost=lambda *_: heard.append("closed"), settled=lambda: heard.append("told at once"))
    assert heard[3:] == ["closed", "told at once"]
