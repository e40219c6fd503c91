"""What a scrape costs, against prometheus_client's own ``generate_latest`` over the very same numbers.

Run it as ``python -m tests.benchmarks.exposition``. Every row is one scrape, in text and in OpenMetrics with exemplars.
``cold`` is the first after the start; ``steady`` is one in which a quarter of all checks ran since the last (checks at
60 s, scraped every 15 s); ``all`` is one in which all ran. The peer renders the same numbers through the library's
registry, and what both write is compared byte for byte. ``stock`` is the library with its own instruments, as most
exporters use it. Times are CPU of the rendering thread, which other work on the machine does not enter. ``lag`` is the
longest stall of an event loop that wakes every millisecond while a thread renders, as the web server has it done.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor.config.settings import MetricsDetail
from monitor.domain.check import Check
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import StepResult
from monitor.domain.exchange import Timings
from monitor.domain.outcome import StepOutcome
from monitor.domain.run import Run
from monitor.publishing.metrics import Metrics
from monitor.publishing.series import Kind
from tests.builders import a_check, a_run, an_attempt, an_evidence, an_exchange

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
ROUNDS = 3
TIMINGS = Timings(resolve=0.001, connect=0.001, tls=0.004, wait=0.02, receive=0.001, total=0.027)
SIZES = (
    (1_000, MetricsDetail.CORE),
    (1_000, MetricsDetail.STANDARD),
    (1_000, MetricsDetail.FULL),
    (10_000, MetricsDetail.CORE),
    (10_000, MetricsDetail.STANDARD),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A format, how we are asked for it, and what the library calls it."""

    name: str
    accept: str
    peer: Callable[[CollectorRegistry], bytes]


FORMS = (
    Form(name="text", accept="", peer=generate_latest),
    Form(name="OpenMetrics", accept=OPENMETRICS, peer=generate_openmetrics),
)


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
    tables = {table.family.base: table.family for table in metrics._tables.all()}
    for metric in metrics.collect():
        family = tables[metric.name]
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


def compare(count: int, detail: MetricsDetail) -> None:
    metrics = Metrics(clock=SystemClock(), location="here", version="1", detail=detail)
    checks = checks_of(count)
    configured = milliseconds(lambda: metrics.configure(checks))
    runs = runs_of(checks)
    cpu = time.process_time()
    publish_all(metrics, runs)
    per_run = 1e6 * (time.process_time() - cpu) / count
    body = metrics.render()[0]
    series = sum(1 for line in body.splitlines() if not line.startswith(b"#"))
    print(
        f"\n{count:,} checks, {detail.value}: {series:,} series, configured in {configured:.0f} ms, "
        f"{per_run:.0f} us CPU to count a run"
    )
    stock = stock_of(metrics)
    gc.collect()
    gc.freeze()
    for form in FORMS:
        measure(metrics, runs, stock, form)
    gc.unfreeze()


def measure(metrics: Metrics, runs: list[Run], stock: CollectorRegistry, form: Form) -> None:
    assert metrics.render(form.accept)[0] == form.peer(metrics.registry), "what we write is not what the library writes"
    size = len(metrics.render(form.accept)[0])
    forget_texts(metrics)
    cold = milliseconds(lambda: metrics.render(form.accept))
    figures: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, ran in (("steady", runs[: len(runs) // 4]), ("all", runs)):
            publish_all(metrics, ran)
            figures.setdefault(name, []).append(milliseconds(lambda: metrics.render(form.accept)))
        figures.setdefault("peer", []).append(milliseconds(lambda: form.peer(metrics.registry)))
        figures.setdefault("stock", []).append(milliseconds(lambda: form.peer(stock)))
    forget_texts(metrics)
    lag_cold = asyncio.run(longest_stall(metrics, form.accept))
    publish_all(metrics, runs[: len(runs) // 4])
    lag = asyncio.run(longest_stall(metrics, form.accept))
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(
        f"  {form.name:12} {size / 1e6:6.1f} MB  cold {cold:7.1f}  steady {middle['steady']:7.1f}"
        f" (worst {max(figures['steady']):7.1f})  all {middle['all']:7.1f}  peer {middle['peer']:8.1f}"
        f"  stock {middle['stock']:8.1f} ms  peer/steady {middle['peer'] / middle['steady']:5.1f}"
        f"  lag cold {lag_cold:5.1f}, steady {lag:5.1f} ms"
    )


def forget_texts(metrics: Metrics) -> None:
    """Leave nothing of what was rendered before, as after a start."""
    for table in metrics._tables.all():
        for child in table.children():
            child._text = child._marked = None


def publish_all(metrics: Metrics, runs: list[Run]) -> None:
    for run in runs:
        metrics.publish(run)


async def longest_stall(metrics: Metrics, accept: str) -> float:
    worst = 0.0
    render = asyncio.create_task(asyncio.to_thread(metrics.render, accept))
    while not render.done():
        begun = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, time.perf_counter() - begun - 0.001)
    return 1000 * worst


def main() -> None:
    prometheus_client.disable_created_metrics()
    for count, detail in SIZES:
        compare(count, detail)


if __name__ == "__main__":
    main()
