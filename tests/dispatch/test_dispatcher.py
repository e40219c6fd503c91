from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.dispatch.dispatcher import NoResult
from monitor.dispatch.messages import LaneName
from monitor.dispatch.process import WorkerProcess
from monitor.domain.evidence import Evidence, ProberFault
from monitor.domain.outcome import Outcome, SlotReason, SlotState, StepOutcome
from tests.builders import a_target
from tests.dispatch import rig

pytestmark = pytest.mark.asyncio(loop_scope="module")

# A run that hangs would do so for a minute; a busy machine takes its time to end it.
GRACE = 30.0


def fault(evidence: Evidence) -> ProberFault | None:
    assert evidence.last.outcome is Outcome.INCONCLUSIVE
    return evidence.last.prober_fault


@pytest.mark.parametrize("lane", LaneName)
async def test_a_run_is_carried_out_in_a_worker_of_its_lane(bench, lane):
    evidence = await bench.evidence("look", lane)
    assert evidence.last.outcome is Outcome.PASSED
    assert [step.name for step in evidence.last.steps] == ["look", "act"]
    assert evidence.worker.startswith(lane.value)
    assert evidence.engine == "still 1.0"


async def test_many_declarative_runs_share_one_worker(bench):
    # Each of them passes only when all are under way in one process.
    results = await asyncio.gather(*(bench.evidence("meet", LaneName.HTTP, deadline=60) for _ in range(rig.MEETING)))
    assert {result.last.outcome for result in results} == {Outcome.PASSED}
    assert len({result.worker for result in results}) == 1


async def test_journeys_in_code_never_share_a_worker(a_bench):
    bench = await a_bench(scripts=2)
    results = await asyncio.gather(*(bench.evidence("wait-a-second") for _ in range(4)))
    for one in results:
        # In the middle of it: on a busy machine the end of one run and the beginning of the next are told apart badly.
        moment = one.started_at + dt.timedelta(seconds=0.5)
        under_way = [other for other in results if other.started_at <= moment < ended_at(other)]
        assert len(under_way) <= 2
        assert len({other.worker for other in under_way}) == len(under_way)
    assert bench.dispatcher.status().lanes[1].waited >= 1.5


async def test_no_more_browsers_work_than_configured_and_the_wait_is_not_part_of_the_run(a_bench):
    bench = await a_bench(browsers=1)
    began = time.monotonic()
    results = await asyncio.gather(*(bench.evidence("wait-a-second", LaneName.BROWSER) for _ in range(3)))
    assert {result.worker for result in results} == {"browser-1"}
    assert all(result.duration >= 1.0 for result in results)
    # Had one of them counted the time in which it waited for another, they would have taken longer than there was.
    assert sum(result.duration for result in results) <= time.monotonic() - began


async def test_runs_that_are_due_go_before_what_is_done_in_the_background(a_bench):
    bench = await a_bench(browsers=1)
    ended: list[str] = []

    async def through(name: str, *, background: bool) -> None:
        await bench.evidence("look", LaneName.BROWSER, background=background)
        ended.append(name)

    await asyncio.gather(
        through("first", background=False),
        *(through(f"experiment {number}", background=True) for number in (1, 2)),
        *(through(f"due {number}", background=False) for number in (1, 2)),
    )
    assert ended == ["first", "due 1", "due 2", "experiment 1", "experiment 2"]


@pytest.mark.parametrize(
    ("journey", "expected", "words"),
    [
        ("block", ProberFault.SCRIPT, "blocked its process"),
        ("stop-oneself", ProberFault.WORKER_KILLED, "stopped"),
        ("endless-module", ProberFault.SCRIPT, "blocked its process"),
    ],
)
async def test_a_worker_that_hangs_is_ended_at_the_deadline(bench, journey, expected, words):
    await bench.evidence("look")
    began = time.monotonic()
    # Enough for a busy machine to get to where it hangs: what was ended before has other words.
    evidence = await bench.evidence(journey, deadline=5)
    assert time.monotonic() - began < 5 + GRACE
    assert fault(evidence) is expected
    assert words in evidence.last.prober_fault_text
    assert (await bench.evidence("look")).last.outcome is Outcome.PASSED


async def test_a_run_that_heeds_no_cancellation_is_over_by_its_deadline(bench):
    await bench.evidence("look")
    began = time.monotonic()
    evidence = await bench.evidence("ignore-cancellation", deadline=2)
    assert time.monotonic() - began < 2 + GRACE
    assert evidence.last.outcome is not Outcome.PASSED
    # What still runs in that worker is not to meet another run.
    for _ in range(3):
        assert (await bench.evidence("look")).worker != evidence.worker


async def test_steps_that_were_done_before_a_worker_was_ended_are_kept(bench):
    evidence = await bench.evidence("block", deadline=3)
    assert [step.outcome for step in evidence.last.steps] == [StepOutcome.PASSED, StepOutcome.INCONCLUSIVE]
    assert evidence.last.steps[1].duration > 0.5


@pytest.mark.parametrize("journey", ["leave", "leave-hard", "broken-module"])
async def test_code_that_leaves_its_process_costs_its_own_run_only(bench, journey):
    other = asyncio.create_task(bench.evidence("wait-a-second"))
    assert fault(await bench.evidence(journey)) is ProberFault.SCRIPT
    assert (await other).last.outcome is Outcome.PASSED
    assert (await bench.evidence("look")).last.outcome is Outcome.PASSED


async def test_a_worker_that_crashes_is_named_with_its_signal(bench):
    evidence = await bench.evidence("die-by-signal")
    assert fault(evidence) is ProberFault.WORKER_DIED
    assert "SIGSEGV" in evidence.last.prober_fault_text


async def test_what_a_journey_prints_is_dropped_and_blocks_nothing(bench):
    evidence = await bench.evidence("print-two-gigabytes", deadline=60)
    assert evidence.last.outcome is Outcome.PASSED


async def test_a_worker_that_takes_too_much_memory_is_ended(a_bench):
    bench = await a_bench(worker_memory_bytes=150_000_000)
    evidence = await bench.evidence("take-memory")
    assert fault(evidence) is ProberFault.OUT_OF_MEMORY
    assert "150 MB" in evidence.last.prober_fault_text


async def test_a_worker_that_starts_too_many_processes_is_ended_with_all_of_them(bench):
    evidence = await bench.evidence("start-many-processes")
    assert fault(evidence) is ProberFault.SCRIPT
    assert "64 processes" in evidence.last.prober_fault_text


async def test_a_process_that_a_journey_leaves_behind_ends_with_its_worker(a_bench, processes_of):
    bench = await a_bench()
    await bench.evidence("start-a-daemon")
    await bench.until(lambda: len(processes_of(bench.directory)) > 4)
    await bench.dispatcher.close(1)
    assert processes_of(bench.directory) == []


async def test_a_worker_that_talks_nonsense_is_ended(bench):
    assert fault(await bench.evidence("write-into-every-channel")) in {ProberFault.WORKER_KILLED, ProberFault.SCRIPT}
    assert (await bench.evidence("look")).last.outcome is Outcome.PASSED


async def test_a_worker_knows_nothing_of_our_environment(bench, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2-hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.localhost:3128")
    evidence = await bench.evidence("tell-the-environment")
    told = str(evidence.last)
    assert "TMPDIR" in told
    assert "SHOP_PASSWORD" not in told
    assert "HTTPS_PROXY" not in told


async def test_a_killed_worker_is_replaced_within_seconds(bench):
    run = asyncio.create_task(bench.evidence("wait-long"))
    await bench.until(lambda: bench.dispatcher.status().lanes[1].running == 1)
    os.kill(busy(bench, LaneName.SCRIPT), signal.SIGKILL)
    evidence = await run
    assert fault(evidence) is ProberFault.WORKER_DIED
    began = time.monotonic()
    assert (await bench.evidence("look")).last.outcome is Outcome.PASSED
    assert time.monotonic() - began < GRACE


async def test_when_the_shared_worker_is_killed_its_runs_are_made_again_and_that_shows(bench):
    with bench.word_withheld() as give_the_word:
        runs = [asyncio.create_task(bench.evidence("wait-for-the-word", LaneName.HTTP)) for _ in range(20)]
        await bench.until(lambda: bench.dispatcher.status().lanes[0].running == 20)
        os.kill(busy(bench, LaneName.HTTP), signal.SIGKILL)
        give_the_word()
        for evidence in await asyncio.gather(*runs):
            lost, made = evidence.attempts
            assert (lost.number, lost.prober_fault) == (1, ProberFault.WORKER_DIED)
            assert (made.number, made.outcome) == (2, Outcome.PASSED)
            assert made.started >= lost.duration - 0.5


async def test_a_run_that_may_have_changed_something_is_not_made_again(bench):
    with bench.word_withheld():
        run = asyncio.create_task(bench.evidence("order-wait-for-the-word", LaneName.HTTP))
        await bench.until(lambda: began_to_act(bench))
        os.kill(busy(bench, LaneName.HTTP), signal.SIGKILL)
        evidence = await run
    assert len(evidence.attempts) == 1
    assert fault(evidence) is ProberFault.WORKER_DIED


async def test_a_stopped_shared_worker_is_found_and_its_runs_are_made_again(bench):
    with bench.word_withheld() as give_the_word:
        runs = [asyncio.create_task(bench.evidence("wait-for-the-word", LaneName.HTTP)) for _ in range(5)]
        await bench.until(lambda: bench.dispatcher.status().lanes[0].running == 5)
        os.kill(busy(bench, LaneName.HTTP), signal.SIGSTOP)
        give_the_word()
        for evidence in await asyncio.gather(*runs):
            assert evidence.last.outcome is Outcome.PASSED
            assert len(evidence.attempts) == 2


async def test_a_run_that_overstays_in_the_shared_worker_does_no_harm_to_others(bench):
    await bench.evidence("look", LaneName.HTTP)
    others = [asyncio.create_task(bench.evidence("wait-a-second", LaneName.HTTP, deadline=10)) for _ in range(5)]
    evidence = await bench.evidence("ignore-cancellation", LaneName.HTTP, deadline=1)
    assert evidence.last.outcome is not Outcome.PASSED
    for other in await asyncio.gather(*others):
        assert [attempt.outcome for attempt in other.attempts] == [Outcome.PASSED]


async def test_an_idle_worker_that_is_stopped_is_replaced(bench):
    await bench.evidence("look")
    # One that is starting still would come to those that take the place of the others.
    await bench.until(lambda: len(bench.workers()) == 3)
    stopped = bench.workers()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    await bench.until(lambda: len(bench.workers()) == len(stopped) and not set(stopped) & set(bench.workers()))
    assert (await bench.evidence("look")).last.outcome is Outcome.PASSED


async def test_a_missing_browser_is_said_clearly_and_http_goes_on(a_bench):
    bench = await a_bench("refuse_browsers")
    evidence = await bench.evidence("look", LaneName.BROWSER)
    assert fault(evidence) is ProberFault.BROWSER_MISSING
    assert "chromium-headless-shell" in evidence.last.prober_fault_text
    assert (await bench.evidence("look", LaneName.HTTP)).last.outcome is Outcome.PASSED
    assert "chromium-headless-shell" in bench.dispatcher.status().lanes[2].trouble


async def test_workers_that_cannot_start_are_tried_again_ever_more_rarely(a_bench):
    bench = await a_bench("never", scripts=1)
    began = time.monotonic()
    evidence = await bench.evidence("look")
    assert fault(evidence) is ProberFault.WORKER_DIED
    assert "exit status 9" in evidence.last.prober_fault_text
    assert "nothing works today" in evidence.last.prober_fault_text
    await asyncio.sleep(max(0, began + 4 - time.monotonic()))
    assert bench.dispatcher.status().lanes[1].restarts <= 12


async def test_a_run_whose_time_to_start_has_passed_is_not_started(bench):
    result = await bench.run("look", patience=-1)
    assert result == NoResult(reason=SlotReason.LATE)


async def test_a_run_that_waits_too_long_for_a_worker_is_not_started(a_bench):
    bench = await a_bench(browsers=1)
    await bench.evidence("look", LaneName.BROWSER)
    with bench.word_withheld() as give_the_word:
        first = asyncio.create_task(bench.evidence("wait-for-the-word", LaneName.BROWSER))
        await bench.until(lambda: bench.dispatcher.status().lanes[2].running == 1)
        result = await bench.run("look", LaneName.BROWSER, patience=0.5)
        assert result == NoResult(reason=SlotReason.BUSY)
        give_the_word()
        assert (await first).last.outcome is Outcome.PASSED


async def test_no_more_runs_than_allowed_are_under_way_against_one_target(bench):
    one = a_target(concurrency=1)
    other = a_target(name="other", concurrency=1)
    with bench.word_withheld() as give_the_word:
        runs = [
            asyncio.create_task(bench.evidence("wait-for-the-word", LaneName.HTTP, target=target))
            for target in (one, one, one, other)
        ]
        await bench.until(lambda: bench.dispatcher.status().lanes[0].running == 2)
        assert bench.dispatcher._gates.waiting() == 2
        give_the_word()
        assert {(await run).last.outcome for run in runs} == {Outcome.PASSED}
    await bench.until(lambda: bench.dispatcher._gates._gates == {})


async def test_a_run_that_waits_too_long_for_its_target_is_not_started(bench):
    target = a_target(concurrency=1)
    await bench.evidence("look", LaneName.HTTP)
    with bench.word_withheld() as give_the_word:
        first = asyncio.create_task(bench.evidence("wait-for-the-word", LaneName.HTTP, target=target))
        await bench.until(lambda: bench.dispatcher.status().lanes[0].running == 1)
        assert await bench.run("look", LaneName.HTTP, target=target, patience=0.5) == NoResult(reason=SlotReason.BUSY)
        give_the_word()
        assert (await first).last.outcome is Outcome.PASSED


async def test_closing_lets_runs_end_within_the_grace_and_calls_the_others_lost(a_bench):
    bench = await a_bench()
    await bench.evidence("look")
    await bench.evidence("look", LaneName.HTTP)
    short = [asyncio.create_task(bench.run("wait-for-the-word", LaneName.HTTP)) for _ in range(15)]
    long = [asyncio.create_task(bench.run("wait-long", deadline=60)) for _ in range(2)]
    queued = [asyncio.create_task(bench.run("look")) for _ in range(3)]
    await bench.until(lambda: sum(lane.running for lane in bench.dispatcher.status().lanes) == 17)
    began = time.monotonic()
    (bench.directory / rig.WORD).touch()
    await bench.dispatcher.close(5)
    assert time.monotonic() - began < GRACE
    assert {type(await run) for run in short} == {Evidence}
    lost = NoResult(reason=SlotReason.SHUTDOWN, state=SlotState.LOST)
    assert [await run for run in long] == [lost, lost]
    assert {(await run).reason for run in queued} == {SlotReason.SHUTDOWN}
    assert await bench.run("look") == NoResult(reason=SlotReason.SHUTDOWN)


async def test_closing_waits_for_what_is_left_of_a_worker_that_ended_by_itself(a_bench, processes_of, monkeypatch):
    clean_up, cleaned, closing = WorkerProcess._clean_up, [], threading.Event()

    def late(worker):
        closing.wait(60)
        time.sleep(0.5)
        clean_up(worker)
        cleaned.append(worker.setup.name)

    monkeypatch.setattr(WorkerProcess, "_clean_up", late)
    bench = await a_bench("never", scripts=1)
    assert fault(await bench.evidence("look")) is ProberFault.WORKER_DIED
    closing.set()
    await bench.dispatcher.close(0)
    assert {"script-1", "script-2"} <= set(cleaned)
    assert processes_of(bench.directory) == []


async def test_a_run_that_is_given_up_takes_its_worker_along_and_nothing_else(bench):
    run = asyncio.create_task(bench.run("wait-long"))
    await bench.until(lambda: bench.dispatcher.status().lanes[1].running == 1)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (await bench.evidence("look")).last.outcome is Outcome.PASSED
    assert bench.dispatcher.status().lanes[1].running == 0


async def test_changed_journeys_are_taken_up_by_fresh_workers_and_unchanged_ones_are_not(a_bench, tmp_path):
    bench = await a_bench(scripts=1)
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "one.py").write_text("A = 1\n")
    bench.dispatcher.reload(journeys=folder)
    await bench.evidence("look")
    # A run goes to the first in the row that is ready: with one that is starting still that may soon be another.
    await bench.until(lambda: len(bench.workers()) == 2)
    first = await bench.evidence("look")
    for _ in range(10):
        bench.dispatcher.reload()
    assert (await bench.evidence("look")).worker == first.worker
    (folder / "one.py").write_text("A = 22\n")
    bench.dispatcher.reload()
    assert (await bench.evidence("look")).worker != first.worker


async def test_twenty_kills_leave_no_process_no_file_and_no_descriptor(bench):
    await bench.evidence("look")
    await bench.until(lambda: len(bench.workers()) == 3)
    before, others = descriptors(), set(zombies_of(os.getpid()))
    for _ in range(20):
        for pid in bench.workers()[:1]:
            os.kill(pid, signal.SIGKILL)
        await bench.run("look")
    await bench.until(lambda: len(bench.workers()) == 3 and not bench.dispatcher._lanes[LaneName.SCRIPT].staff.leaving)
    await bench.until(lambda: descriptors() <= before + 3)
    await bench.until(lambda: len(list(bench.directory.glob("script-*"))) == 3)
    # A keeper is waited for in a thread, and other tests of this process may have left children of their own.
    await bench.until(lambda: set(zombies_of(os.getpid())) <= others)


def zombies_of(parent: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, above, *_ = (process / "stat").read_text().rpartition(")")[2].split()
            if state == "Z" and int(above) == parent:
                found.append(int(process.name))
    return found


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def ended_at(evidence: Evidence) -> dt.datetime:
    return evidence.started_at + dt.timedelta(seconds=evidence.duration)


def busy(bench, lane: LaneName) -> int:
    # Not the first that is ready: one that came up since stands before it where it was started earlier.
    return next(worker._process for worker in bench.dispatcher._lanes[lane].staff.workers if worker.flights)


def began_to_act(bench) -> bool:
    flights = [
        flight for worker in bench.dispatcher._lanes[LaneName.HTTP].staff.workers for flight in worker.flights.values()
    ]
    return any(told.step == "act" for flight in flights for told in flight.told)
