"""What it costs to keep runs and to ask about them.

Run it as ``python -m tests.benchmarks.storage``; ``--full`` asks about five million runs instead of half a million.
Measures CPU of the whole process per run stored (encoding, statements, commits), the rate of acknowledged commits with
one result in flight, and the time of the questions that pages ask most.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sqlite3
import tempfile
import time
from pathlib import Path

from monitor.config.settings import StorageSettings
from monitor.domain.cause import Confidence, Detail
from monitor.domain.clock import SystemClock
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import StepResult, VantageHealth
from monitor.domain.exchange import Timings
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.run import Judgement, Run, Slot
from monitor.history import GroupBy, History
from monitor.history.disk import file_size
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange

CHECKS = [a_check(name=f"check-{number}@shop/desktop") for number in range(1000)]
GOOD = Judgement(outcome=Outcome.PASSED, validity=Validity.VALID, timings=(("own_infrastructure", 0.02),))


def passed(number: int) -> Run:
    check = CHECKS[number % len(CHECKS)]
    moment = A_MOMENT + dt.timedelta(minutes=number // len(CHECKS), milliseconds=number % len(CHECKS))
    took = 0.02 + number % 977 / 1e5
    step = StepResult(name="get-home", title="Get the home page", outcome=StepOutcome.PASSED, duration=took)
    timings = Timings(resolve=0.001, connect=0.001, tls=0.004, wait=took, receive=0.001, total=took)
    return a_run(
        run_id=f"{number:032x}",
        check=check,
        scheduled_at=moment,
        evidence=an_evidence(
            started_at=moment,
            duration=took,
            attempts=(an_attempt(duration=took, steps=(step,)),),
            exchanges=(an_exchange(timings=timings),),
            vantage=VantageHealth(loop_lag_p50=took / 100, loop_lag_max=took / 10, cpu_pressure=1.5),
            engine="http",
            worker="http-1",
        ),
        judgement=GOOD,
    )


async def store(history: History, count: int, *, in_flight: int, first: int = 0) -> None:
    runs = [passed(first + number) for number in range(count)]
    thread = time.pthread_getcpuclockid(history._writer._thread.ident)
    begun, cpu, writer = time.perf_counter(), time.process_time(), time.clock_gettime(thread)
    for start in range(0, count, in_flight):
        await asyncio.gather(*(history.finished(run) for run in runs[start : start + in_flight]))
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    writer = time.clock_gettime(thread) - writer
    print(
        f"{count} results, {in_flight} in flight: {writer / count * 1e6:.1f} µs CPU of the writer for each, "
        f"{cpu / count * 1e6:.1f} µs of the process with a task for each; {count / wall:.0f} results/s",
    )


async def whole_life(history: History, count: int, batch: int) -> None:
    runs = [passed(10_000_000 + number) for number in range(count)]
    cpu = time.process_time()
    for start in range(0, count, batch):
        some = runs[start : start + batch]
        await history.plan([Slot(check=run.check.name, scheduled_at=run.scheduled_at) for run in some])
        for run in some:
            history.started(run.check.name, run.scheduled_at, run.run_id, run.scheduled_at)
            history.keep(run, lost=_never)
    await history.reap(A_MOMENT - dt.timedelta(days=1))
    cpu = time.process_time() - cpu
    print(f"planned, started and finished, {batch} at a time: {cpu / count * 1e6:.1f} µs CPU per run")


def _never(run: Run, error: Exception) -> None:
    msg = f"{run.run_id} was lost: {error}"
    raise AssertionError(msg)


def fill(path: Path, count: int) -> None:
    """Multiply what real results look like in the tables over ninety days, two in a hundred failed."""
    details = [detail.value for detail in Detail]
    start = int((dt.datetime.now(dt.UTC) - dt.timedelta(days=90)).timestamp() * 1e6)
    pace = 90 * 86_400_000_000 // count
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        template = connection.execute("SELECT * FROM slots WHERE state = 'finished' LIMIT 1").fetchone()
        connection.execute("DELETE FROM slots")
        connection.executemany(
            f"INSERT INTO slots VALUES ({', '.join('?' * len(template))})",
            (
                (start + number * pace, number % 1000 + 1, "finished", None, f"{number:032x}", *template[5:])
                for number in range(count)
            ),
        )
        connection.executemany(
            f"INSERT INTO diagnoses VALUES ({', '.join('?' * 12)})",
            (
                (
                    start + number * pace, number % 1000 + 1, "failed", Detail(detail).cause.value, detail, "confirmed",
                    "R08", "vendor", f"vendor-{number % 20}", "pay.example.net", "pay", "It answers 503.",
                )
                for number in range(0, count, 50)
                for detail in [details[number // 50 % len(details)]]
            ),
        )  # fmt: skip
    connection.close()


async def ask(history: History, path: Path, count: int) -> None:
    now = dt.datetime.now(dt.UTC)
    since = now - dt.timedelta(days=91)
    print(f"{count} runs take {file_size(path) / count:.0f} bytes each")
    for name, question in (
        ("causes over 90 days", lambda: history.causes(since, GroupBy.CAUSE)),
        ("details over 90 days", lambda: history.causes(since, GroupBy.DETAIL)),
        ("culprits over 90 days", lambda: history.causes(since, GroupBy.CULPRIT)),
        ("failures per day over 90 days", lambda: history.causes(since, GroupBy.DAY)),
        ("the newest 100 runs of a check", lambda: history.recent(CHECKS[7].name, 100)),
        ("the latest of 1,000 checks", history.latest),
        ("coverage of a check over 90 days", lambda: history.coverage(CHECKS[7].name, since, now)),
        ("coverage of all checks over a day", lambda: history.coverage(None, now - dt.timedelta(days=1), now)),
        ("one run by its id", lambda: history.run(f"{count // 2:032x}")),
    ):
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            await question()
            times.append(time.perf_counter() - begun)
        print(f"{name}: {min(times) * 1000:.1f} ms (first {times[0] * 1000:.1f} ms)")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="ask about five million runs")
    parser.add_argument("--runs", type=int, default=20_000, help="results to store")
    arguments = parser.parse_args()
    count = 5_000_000 if arguments.full else 500_000
    with tempfile.TemporaryDirectory() as folder:
        storage = StorageSettings(directory=Path(folder))
        history = await History.open(storage, clock=SystemClock())
        print("new names:", end=" ")
        await store(history, len(CHECKS), in_flight=len(CHECKS))
        await store(history, arguments.runs, in_flight=2000, first=1_000_000)
        await store(history, arguments.runs, in_flight=500, first=2_000_000)
        await store(history, 100, in_flight=1, first=3_000_000)
        await store_more(history)
        await whole_life(history, arguments.runs, 500)
        await history.close()
        path = Path(folder) / "history.db"
        fill(path, count)
        begun = time.perf_counter()
        history = await History.open(storage, clock=SystemClock())
        print(f"opened in {time.perf_counter() - begun:.1f} s, checked as a whole: {history.status().checked}")
        await ask(history, path, count)
        await history.close()


async def store_more(history: History) -> None:
    diagnosis = Diagnosis(
        cause=Detail.TP_CONTENT.cause,
        detail=Detail.TP_CONTENT,
        confidence=Confidence.CONFIRMED,
        rule="R08",
        because="It answers 503 to each request.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example.net"),
    )
    judgement = Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=diagnosis)
    exchanges = tuple(an_exchange(id=str(number), url=f"https://shop.localhost/{number}") for number in range(100))
    runs = [
        a_run(
            run_id=f"failed-{number}",
            check=CHECKS[number],
            scheduled_at=A_MOMENT - dt.timedelta(days=1),
            evidence=an_evidence(exchanges=exchanges),
            judgement=judgement,
        )
        for number in range(500)
    ]
    cpu = time.process_time()
    await asyncio.gather(*(history.finished(run) for run in runs))
    print(f"failed runs of 100 exchanges, everything kept: {(time.process_time() - cpu) / 500 * 1e6:.0f} µs CPU each")


if __name__ == "__main__":
    asyncio.run(main())
