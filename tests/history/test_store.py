"""What both databases promise alike."""

from __future__ import annotations

import asyncio

import pytest

from monitor.domain.cause import Cause, Detail
from monitor.domain.outcome import Outcome, SlotReason, SlotState, Validity
from monitor.domain.run import Judgement
from monitor.history import GroupBy, HistoryError, Reader, RunFilter
from tests.builders import a_check, a_run, an_evidence
from tests.history.runs import CHECK, MINUTE, a_failed_run, a_passed_run, a_slot, at


async def states(history, check: str = CHECK):
    return [slot.state for slot in await history.slots(check, at(-1000))]


async def test_a_slot_goes_from_planned_to_finished(history):
    await history.plan([a_slot(0)])
    assert await states(history) == [SlotState.PLANNED]
    history.started(CHECK, at(0), "run-browse-0", at(0))
    async with asyncio.timeout(10):
        while await states(history) != [SlotState.STARTED]:  # noqa: ASYNC110 - a start is written when its time comes
            await asyncio.sleep(0.01)
    await history.finished(a_passed_run())
    (slot,) = await history.slots(CHECK, at(0))
    assert (slot.state, slot.run_id, slot.reason) == (SlotState.FINISHED, "run-browse-0", None)


async def test_a_result_that_is_not_waited_for_is_kept(history):
    lost = []
    await history.plan([a_slot(0), a_slot(1)])
    history.started(CHECK, at(0), "run-browse-0", at(0))
    history.keep(a_passed_run(0), lost=lambda run, error: lost.append(run))
    await history.finished(a_passed_run(1))
    assert await states(history) == [SlotState.FINISHED, SlotState.FINISHED]
    assert lost == []


async def test_a_result_that_cannot_be_kept_is_said_to_be_lost(history):
    run = a_passed_run(0, evidence=an_evidence(started_at=at(0), engine=object()))
    lost = asyncio.get_running_loop().create_future()
    history.keep(run, lost=lambda run, error: lost.set_result((run, str(error))))
    async with asyncio.timeout(10):
        assert await lost == (run, "the result cannot be written down: TypeError")


async def test_a_run_that_is_cut_short_is_known_by_its_start(history):
    history.started(CHECK, at(0), "run-0", at(0))
    await history.closed(CHECK, at(0), SlotState.LOST, SlotReason.SHUTDOWN)
    (slot,) = await history.slots(CHECK, at(0))
    assert (slot.state, slot.run_id) == (SlotState.LOST, "run-0")


async def test_planning_twice_changes_nothing(history):
    await history.plan([a_slot(0), a_slot(1)])
    await history.finished(a_passed_run(0))
    await history.plan([a_slot(0), a_slot(1), a_slot(2)])
    assert await states(history) == [SlotState.FINISHED, SlotState.PLANNED, SlotState.PLANNED]


@pytest.mark.parametrize("state", [SlotState.MISSED, SlotState.LOST, SlotState.SKIPPED])
async def test_a_slot_that_has_ended_stays_as_it_ended(history, state):
    await history.plan([a_slot(0)])
    await history.closed(CHECK, at(0), state, SlotReason.BUSY)
    history.started(CHECK, at(0), "run-browse-0", at(0))
    await history.finished(a_failed_run(0))
    await history.closed(CHECK, at(0), SlotState.SKIPPED, SlotReason.OVERLAP)
    (slot,) = await history.slots(CHECK, at(0))
    assert (slot.state, slot.reason) == (state, SlotReason.BUSY)
    assert await history.run("run-browse-0") is None
    assert await history.causes(at(-1)) == ()
    assert history.status().refused == 1


async def test_one_result_delivered_twice_is_one_run(history):
    await history.finished(a_failed_run(0))
    await history.finished(a_failed_run(0))
    assert len(await history.recent(CHECK)) == 1
    assert [share.runs for share in await history.causes(at(-1))] == [1]


async def test_a_slot_that_was_never_planned_can_be_skipped(history):
    await history.closed(CHECK, at(0), SlotState.SKIPPED, SlotReason.MAINTENANCE)
    assert await states(history) == [SlotState.SKIPPED]


async def test_a_slot_cannot_be_closed_as_finished(history):
    with pytest.raises(ValueError, match="cannot be closed as finished"):
        await history.closed(CHECK, at(0), SlotState.FINISHED, SlotReason.LATE)


async def test_a_failed_run_keeps_everything(history):
    run = a_failed_run(0)
    await history.finished(run)
    stored = await history.run(run.run_id)
    assert not stored.lean
    assert stored.evidence == run.evidence
    assert stored.judgement == run.judgement
    summary = stored.summary
    assert summary.phases == (("resolve", 0.1), ("connect", 0.2), ("wait", 0.75))
    assert (summary.check, summary.journey, summary.target, summary.profile, summary.location) == (
        CHECK, "browse", "shop", "desktop", "here",
    )  # fmt: skip
    assert summary.verdict.because == "pay.example.net answers without its script."
    assert summary.verdict.failed_step == "pay"
    assert summary.verdict.culprit.name == "Example Pay"


async def test_a_passed_run_keeps_lean_evidence_beside_one_picture_of_what_good_looks_like(history):
    first, second = a_passed_run(0), a_passed_run(1)
    await history.finished(first)
    await history.finished(second)
    assert (await history.run(first.run_id)).evidence == first.evidence
    lean = await history.run(second.run_id)
    assert lean.lean
    assert lean.evidence.exchanges == ()
    assert lean.evidence.attempts == second.evidence.attempts
    assert lean.judgement == second.judgement


async def test_a_run_is_shown_under_the_names_it_was_recorded_with(history):
    await history.finished(a_passed_run(0))
    moved = a_check(name=CHECK, journey="browse-anew")
    await history.finished(a_run_of(moved))
    assert [run.journey for run in await history.recent(CHECK)] == ["browse-anew", "browse"]


def a_run_of(check):
    return a_run(run_id="run-moved", check=check, scheduled_at=at(1), evidence=an_evidence(started_at=at(1)))


async def test_an_unknown_run_is_none(history):
    assert await history.run("no-such-run") is None


async def test_reaping_gives_each_open_slot_of_the_past_one_end(history):
    await history.plan([a_slot(minute) for minute in range(5)])
    history.started(CHECK, at(0), "run-0", at(0))
    history.started(CHECK, at(1), "run-1", at(1))
    await history.finished(a_passed_run(0))
    await history.closed(CHECK, at(2), SlotState.SKIPPED, SlotReason.OVERLAP)
    reaped = await history.reap(at(3.5))
    assert {(slot.scheduled_at, slot.state, slot.reason) for slot in reaped} == {
        (at(1), SlotState.LOST, SlotReason.CRASH),
        (at(3), SlotState.MISSED, SlotReason.LATE),
    }
    assert await states(history) == [
        SlotState.FINISHED,
        SlotState.LOST,
        SlotState.SKIPPED,
        SlotState.MISSED,
        SlotState.PLANNED,
    ]
    assert await history.reap(at(3.5)) == ()


async def test_reaping_with_grace_leaves_what_may_still_be_under_way(history):
    await history.plan([a_slot(0)])
    history.started(CHECK, at(0), "run-0", at(2))
    assert await history.reap(at(3), grace=2 * MINUTE) == ()
    assert len(await history.reap(at(5), grace=2 * MINUTE)) == 1


async def test_the_latest_of_each_check_is_told(history):
    await history.finished(a_passed_run(0))
    await history.finished(a_failed_run(1))
    await history.plan([a_slot(2), a_slot(0, "other@shop/desktop")])
    await history.closed(CHECK, at(2), SlotState.MISSED, SlotReason.LATE)
    (state,) = await history.latest(since=at(-5))
    assert state.check == CHECK
    assert state.run.outcome is Outcome.FAILED
    assert state.slot.state is SlotState.MISSED
    assert state.counts == ((Outcome.FAILED, 1), (Outcome.PASSED, 1))


async def test_the_newest_run_that_ended_in_a_way_is_told_and_not_one_from_too_long_ago(history):
    unclear = Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)
    for run in (a_passed_run(0), a_failed_run(1), a_passed_run(2, judgement=unclear)):
        await history.finished(run)
    good = await history.latest_with({Outcome.PASSED, Outcome.DEGRADED}, at(-5))
    assert {name: run.scheduled_at for name, run in good.items()} == {CHECK: at(0)}
    conclusive = await history.latest_with({Outcome.PASSED, Outcome.FAILED}, at(-5))
    assert conclusive[CHECK].outcome is Outcome.FAILED
    assert await history.latest_with({Outcome.PASSED}, at(1)) == {}


async def test_coverage_counts_what_was_planned_and_what_it_brought(history, clock):
    await history.plan([a_slot(minute) for minute in range(5)])
    await history.finished(a_passed_run(0))
    await history.finished(a_failed_run(1))
    unclear = Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)
    await history.finished(a_passed_run(2, judgement=unclear))
    await history.reap(at(3.5))
    clock.moment = at(3.5)
    coverage = await history.coverage(CHECK, at(0))
    assert (coverage.planned, coverage.conclusive, coverage.good) == (4, 2, 1)
    assert (coverage.ratio, coverage.availability) == (0.5, 0.5)
    assert coverage.states == ((SlotState.FINISHED, 3), (SlotState.MISSED, 1))
    assert (await history.coverage(None, at(0))).planned == 4


async def test_no_slots_give_no_coverage_rather_than_full_coverage(history):
    coverage = await history.coverage(CHECK, at(0))
    assert coverage.ratio is None
    assert coverage.availability is None


async def test_failures_are_broken_down_by_what_is_asked_for(history):
    await history.finished(a_failed_run(0))
    await history.finished(a_failed_run(1))
    await history.finished(a_failed_run(2, detail=Detail.OWN_TLS, check="pay@shop/phone", culprit="edge"))
    await history.finished(a_failed_run(60 * 24, detail=Detail.OWN_DNS, culprit="edge"))
    await history.finished(a_passed_run(3))

    async def by(group, **values):
        return [(share.key, share.runs) for share in await history.causes(at(0), group, **values)]

    assert await by(GroupBy.CAUSE) == [("own_infrastructure", 2), ("third_party", 2)]
    assert await by(GroupBy.DETAIL) == [("tp.content", 2), ("own.dns", 1), ("own.tls", 1)]
    assert await by(GroupBy.CULPRIT) == [("Example Pay", 2), ("edge", 2)]
    assert await by(GroupBy.CHECK, check="pay@shop/phone") == [("pay@shop/phone", 1)]
    assert await by(GroupBy.DAY) == [("2026-03-02", 2), ("2026-03-02", 1), ("2026-03-03", 1)]


async def test_runs_are_listed_by_what_is_asked_for(history):
    await history.finished(a_failed_run(0))
    await history.finished(a_failed_run(1, detail=Detail.OWN_TLS, culprit="edge"))
    await history.finished(a_passed_run(2))

    async def listed(**values):
        return [run.scheduled_at for run in await history.runs(RunFilter(**values))]

    assert await listed() == [at(2), at(1), at(0)]
    assert await listed(limit=1) == [at(2)]
    assert await listed(before=at(2)) == [at(1), at(0)]
    assert await listed(since=at(1)) == [at(2), at(1)]
    assert await listed(outcomes=(Outcome.PASSED,)) == [at(2)]
    assert await listed(cause=Cause.OWN_INFRASTRUCTURE) == [at(1)]
    assert await listed(detail=Detail.TP_CONTENT, check=CHECK) == [at(0)]
    assert await listed(culprit="edge") == [at(1)]
    assert await listed(check="unknown") == []


async def test_words_of_a_page_that_no_text_column_takes_do_not_lose_the_run(history):
    run = a_failed_run(0, culprit="nul\x00 in a name")
    await history.finished(run)
    (summary,) = await history.recent(CHECK)
    assert summary.verdict.culprit.name == "nul\N{REPLACEMENT CHARACTER} in a name"


async def test_what_was_committed_is_there_after_opening_again(opened, storage):
    first = await opened(storage)
    await first.finished(a_failed_run(0))
    await first.close()
    second = await opened(storage)
    assert len(await second.recent(CHECK)) == 1


async def test_a_reader_works_beside_a_running_instance(history, storage, clock):
    await history.finished(a_failed_run(0))
    reader = await Reader.beside(storage, clock=clock)
    assert (await reader.run("run-browse-0")).summary.outcome is Outcome.FAILED
    await reader.close()


async def test_a_second_instance_is_refused_naming_the_first(history, storage, opened):
    import os

    with pytest.raises(HistoryError, match=f"in use by another instance .process {os.getpid()}"):
        await opened(storage)
