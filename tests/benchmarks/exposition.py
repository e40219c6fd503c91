"""What a scrape costs, against the stock prometheus_client rendering the very same numbers.

Run it as ``python -m tests.benchmarks.exposition``. Rows of ``own`` are measured with nothing changed since the last
scrape, with a quarter of all checks run since (checks at 60 s, scraped every 15 s), and with all of them run since.
The stock client keeps instruments of its own with the same families, labels and series. Both are rendered in turns.
Times are CPU of the rendering thread, which other work on the machine does not enter.
Also measured: the CPU of counting one run, and the longest stall of an event loop while a thread renders.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from monitor.config.settings import MetricsDetail
from monitor.domain.check import Check
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import StepResult
from monitor.domain.exchange import Timings
from monitor.domain.outcome import StepOutcome
from monitor.domain.run import Run
from monitor.publishing import catalogue
from monitor.publishing.metrics import Metrics
from monitor.publishing.series import Kind
from tests.builders import a_check, a_run, an_attempt, an_evidence, an_exchange

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
ROUNDS = 5
TIMINGS = Timings(resolve=0.001, connect=0.001, tls=0.004, wait=0.02, receive=0.001, total=0.027)


def checks_of(count: int) -> list[Check]:
    return [a_check(name=f"journey-{n}@shop/desktop", journey=f"journey-{n}") for n in range(count)]


def runs_of(checks: list[Check]) -> list[Run]:
    step = StepResult(name="get-home", title="Get the home page", outcome=StepOutcome.PASSED, duration=0.03)
    clock = SystemClock()
    evidence = an_evidence(
        started_at=clock.now(),
        attempts=(an_attempt(steps=(step,)),),
        exchanges=(an_exchange(resource="http", timings=TIMINGS),),
    )
    return [a_run(run_id=f"{n:032x}", check=check, evidence=evidence) for n, check in enumerate(checks)]


def stock_of(metrics: Metrics) -> CollectorRegistry:
    """Return a registry of stock instruments that hold as many series of the same names and labels."""
    registry = CollectorRegistry()
    made = {Kind.COUNTER: Counter, Kind.GAUGE: Gauge, Kind.INFO: Gauge, Kind.SUMMARY: Summary}
    for metric in metrics.collect():
        family = next(each for each in catalogue.FAMILIES if each.base == metric.name)
        if family.kind is Kind.HISTOGRAM:
            buckets = family.buckets
            instrument = Histogram(family.name, family.help, family.labels, registry=registry, buckets=buckets)
        else:
            instrument = made[family.kind](family.name, family.help, family.labels, registry=registry)
        for sample in metric.samples:
            labels = tuple(sample.labels[name] for name in family.labels)
            child = instrument.labels(*labels) if labels else instrument
            if family.kind in (Kind.SUMMARY, Kind.HISTOGRAM):
                if sample.name.endswith("_count"):
                    child.observe(0.03)
            elif family.kind is Kind.COUNTER:
                child.inc(sample.value)
            else:
                child.set(sample.value)
    return registry


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return 1000 * (time.thread_time() - begun)


def compare(title: str, count: int, *, detail: MetricsDetail) -> None:
    metrics = Metrics(clock=SystemClock(), location="here", version="1", detail=detail)
    checks = checks_of(count)
    configured = milliseconds(lambda: metrics.configure(checks))
    runs = runs_of(checks)
    publish_all(metrics, runs)
    stock = stock_of(metrics)
    series = metrics.render()[0].count(b"\n") - len(list(metrics.collect())) * 2
    gc.collect()
    gc.freeze()
    figures: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, prepare, render in (
            ("own, unchanged", None, metrics.render),
            ("own, a quarter ran", runs[: count // 4], metrics.render),
            ("own, all ran", runs, metrics.render),
            ("own OpenMetrics, a quarter ran", runs[: count // 4], lambda: metrics.render(OPENMETRICS)),
            ("stock client", None, lambda: generate_latest(stock)),
        ):
            publish_all(metrics, prepare or [])
            figures.setdefault(name, []).append(milliseconds(render))
    cpu = time.process_time()
    publish_all(metrics, runs)
    per_run = 1e6 * (time.process_time() - cpu) / count
    print(f"\n{title}: {series} series, configured in {configured:.0f} ms, {per_run:.0f} us CPU to count a run")
    stock_time = statistics.median(figures["stock client"])
    for name, values in figures.items():
        middle = statistics.median(values)
        print(
            f"  {name:32} {middle:8.1f} ms   (worst {max(values):7.1f})   {stock_time / middle:5.1f} x the stock client"
        )


def publish_all(metrics: Metrics, runs: list[Run]) -> None:
    for run in runs:
        metrics.publish(run)


async def longest_stall(metrics: Metrics) -> float:
    worst = 0.0
    render = asyncio.create_task(asyncio.to_thread(metrics.render, OPENMETRICS))
    while not render.done():
        begun = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, time.perf_counter() - begun - 0.001)
    return 1000 * worst


def stall() -> None:
    metrics = Metrics(clock=SystemClock(), location="here", version="1", detail=MetricsDetail.CORE)
    checks = checks_of(4200)
    metrics.configure(checks)
    publish_all(metrics, runs_of(checks))
    first = asyncio.run(longest_stall(metrics))
    print(f"\nlongest stall of an event loop while a thread renders 50,000 series, all of them changed: {first:.1f} ms")


def main() -> None:
    prometheus_client.disable_created_metrics()
    compare("1,000 checks, core", 1000, detail=MetricsDetail.CORE)
    compare("1,000 checks, in full", 1000, detail=MetricsDetail.FULL)
    compare("4,200 checks, core", 4200, detail=MetricsDetail.CORE)
    compare("10,000 checks, core", 10_000, detail=MetricsDetail.CORE)
    stall()


if __name__ == "__main__":
    main()
