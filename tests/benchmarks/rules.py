"""What the shipped rules cost a real Prometheus that has a month behind it, against the same one without rules.

Run it as ``python -m tests.benchmarks.rules [--checks N …] [--seconds S]``. Every check runs each minute from one
place, is scraped every 15 s, and fails now and then. What the rules look back at is written as blocks beforehand: the
monitor's own series as they would have been scraped, recorded ones as they would have been recorded. Series with the
same values share their chunks on disk, so reading from a slow disk is not part of the figures.

``samples`` is what one evaluation of a group reads, by Prometheus' own count, and does not depend on the machine.
``took`` is the time of an evaluation as Prometheus reports it, with whatever else the machine does; ``CPU`` is what the
process used while it was asked for the same, rule by rule, which other work does not enter.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import prometheus_client
import yaml

from monitor.config.settings import MetricsDetail
from monitor.domain.clock import SystemClock
from monitor.domain.run import Run
from monitor.publishing.metrics import Metrics
from tests.benchmarks.blocks import Block, Samples, spans
from tests.benchmarks.exposition import checks_of, runs_of
from tests.servers import ROOT, Prometheus, Server, prometheus

RULES = ROOT / "config" / "prometheus" / "rules"
SCRAPE = 15
EVERY = 60.0
SPAN = 10 * 86400
SAMPLED = "sampled:"
HOURLY = ":hourly1h"
SIZES = ((1_000, MetricsDetail.STANDARD), (10_000, MetricsDetail.CORE))
TARGET = {"job": "faultline", "instance": "monitor"}
CAUSES = ("own_infrastructure", "third_party", "client_environment", "undetermined")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RANGE = re.compile(r"([a-z_][\w:]*)(?:\{[^}]*\})?\[(\d+)([smhd])(?::[^\]]*)?\](?: offset (\d+)([smhd]))?")
# The mix of values that the increase of an hour takes with a run each minute.
HOURS = (60.0, 60.25104602510461, 59.24686192468619, 61.25523012552301)


@dataclass(slots=True)
class Group:
    """A group of rules, and what was seen of it."""

    name: str
    interval: int
    rules: Sequence[Mapping[str, Any]]
    took: dict[str, float] = field(default_factory=dict)
    samples: int = 0
    peak: int = 0
    cpu: float = 0.0


def seconds_of(text: str) -> int:
    return int(text[:-1]) * SECONDS[text[-1]]


def groups_of() -> list[Group]:
    found = []
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            interval = seconds_of(group.get("interval", "15s"))
            found.append(Group(name=group["name"], interval=interval, rules=group["rules"]))
    return found


def looked_back(groups: Sequence[Group]) -> dict[str, int]:
    """Return how far the rules look back at each metric, in seconds."""
    furthest: dict[str, int] = {}
    for group in groups:
        for rule in group.rules:
            for name, size, unit, offset, of in RANGE.findall(rule["expr"]):
                back = int(size) * SECONDS[unit] + (int(offset) * SECONDS[of] if offset else 0)
                furthest[name] = max(furthest.get(name, 0), back)
    return furthest


class Past:
    """The values that series had: a few kinds, shared by all of the same kind."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._kinds: dict[tuple[object, ...], Samples] = {}
        self._random = random.Random(9)

    def counted(self, back: int, step: int, phase: int) -> Samples:
        """One run each minute."""
        return self._kind(back, step, ("counted", phase), lambda n: float((n * step + phase * SCRAPE) // 60))

    def failing(self, back: int, step: int, phase: int) -> Samples:
        """A failure every hour and a half or so."""
        return self._kind(back, step, ("failing", phase), lambda n: float((n * step + phase * 900) // 5400))

    def still(self, back: int, step: int, value: float) -> Samples:
        """Always the same."""
        return self._kind(back, step, ("still", value), lambda _: value)

    def hourly(self, back: int, step: int, values: Sequence[float], phase: int) -> Samples:
        """What the last hour brought, which differs a little each time."""
        return self._kind(back, step, ("hourly", tuple(values), phase), lambda _: self._random.choice(values))

    def _kind(self, back: int, step: int, kind: tuple[object, ...], value: Any) -> Samples:
        key = (back, step, *kind)
        if key not in self._kinds:
            count = back // step
            values = tuple(value(n) for n in range(count))
            self._kinds[key] = Samples(start=1000 * (self._now - count * step), step=1000 * step, values=values)
        return self._kinds[key]


def scraped(
    metrics: Metrics, furthest: Mapping[str, int], past: Past, *, prefix: str = "", step: int = SCRAPE
) -> Iterator[tuple[dict[str, str], Samples]]:
    """Yield what would have been scraped of the metrics that the rules look back at, or sampled of it."""
    phases: dict[str, int] = {}
    for metric in metrics.collect():
        for sample in metric.samples:
            back = furthest.get(prefix + sample.name)
            if not back:
                continue
            labels = {"__name__": prefix + sample.name, **sample.labels, **TARGET}
            labels = {name: value for name, value in labels.items() if value}
            journey = sample.labels.get("journey", "")
            phase = phases.setdefault(journey, len(phases)) % 40
            if not sample.name.endswith("_total"):
                values = past.still(back, step, sample.value)
            elif sample.value > 0:
                values = past.counted(back, step, phase % 4)
            elif phase < 4 and sample.labels.get("cause") == CAUSES[phase]:
                values = past.failing(back, step, phase)
            else:
                values = past.still(back, step, 0.0)
            yield labels, values


def recorded(
    groups: Sequence[Group], runs: Sequence[Run], furthest: Mapping[str, int], past: Past
) -> Iterator[tuple[dict[str, str], Samples]]:
    """Yield what would have been recorded of the series that the rules look back at."""
    for group in groups:
        for rule in group.rules:
            name = rule.get("record", "")
            back = furthest.get(name, 0)
            if not back or not name.startswith("check"):
                continue
            step = 3600 if name.endswith(HOURLY) else group.interval
            for position, run in enumerate(runs):
                check = run.check
                labels = {
                    "__name__": name,
                    "journey": check.journey,
                    "target": check.target.name,
                    "profile": check.profile.name,
                }
                if name.startswith("check:"):
                    yield labels, past.hourly(back, step, HOURS, position % 4)
                    continue
                for nth, cause in enumerate(CAUSES):
                    fails = position % 40 == nth
                    values = past.hourly(back, step, (0.0, 1.0, 1.0041841), nth) if fails else None
                    yield {**labels, "cause": cause}, values or past.still(back, step, 0.0)


def write_past(folder: Path, now: int, metrics: Metrics, groups: Sequence[Group], runs: Sequence[Run]) -> None:
    furthest = looked_back(groups)
    past = Past(now)
    step = next((group.interval for group in groups if group.name == "faultline.recorded.sampled"), SCRAPE)
    known = [
        *scraped(metrics, furthest, past),
        *scraped(metrics, furthest, past, prefix=SAMPLED, step=step),
        *recorded(groups, runs, furthest, past),
    ]
    start = min(samples.start for _, samples in known)
    for number, (begin, end) in enumerate(spans(start, 1000 * now, 1000 * SPAN), 1):
        block = Block(folder, number, begin, end)
        for labels, samples in known:
            block.add(labels, samples)
        block.write()


@contextmanager
def exporter(metrics: Metrics, runs: Sequence[Run]) -> Iterator[int]:
    """Serve the metrics while every check runs once a minute."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, kind = metrics.render(self.headers.get("accept", ""))
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    over = threading.Event()

    def run_all() -> None:
        share = max(1, len(runs) // 240)
        while True:
            for first in range(0, len(runs), share):
                if over.wait(EVERY * share / len(runs)):
                    return
                for run in runs[first : first + share]:
                    metrics.publish(run)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=run_all)]
    for thread in threads:
        thread.start()
    try:
        yield server.server_port
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join()


@dataclass(frozen=True, slots=True)
class Use:
    """What a process used so far, and holds."""

    cpu: float
    at: float
    peak: float

    @classmethod
    def of(cls, server: Server) -> Use:
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        ticks = os.sysconf("SC_CLK_TCK")
        return cls((int(fields[11]) + int(fields[12])) / ticks, time.monotonic(), int(peak[1]) / 1e6 if peak else 0.0)

    def since(self, earlier: Use) -> float:
        """Return the share of a core."""
        return (self.cpu - earlier.cpu) / (self.at - earlier.at)


async def watch(ask: Prometheus, groups: Sequence[Group], seconds: float) -> None:
    """Note every evaluation of the groups for a while."""
    by_name = {group.name: group for group in groups}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for told in (await ask.ask("rules"))["groups"]:
            if not told["lastEvaluation"].startswith("0001"):
                by_name[told["name"]].took[told["lastEvaluation"]] = told["evaluationTime"]
            for rule in told["rules"]:
                assert rule["health"] != "err", f"{rule['name']}: {rule['lastError']}"
        await asyncio.sleep(5)


async def evaluate_each(server: Server, groups: Sequence[Group], at: float) -> None:
    """Ask what the rules ask, as of a moment while they were loaded, and note what it costs the process."""
    async with httpx.AsyncClient(base_url=server.url, timeout=600, trust_env=False) as client:
        for group in groups:
            before = Use.of(server)
            for rule in group.rules:
                fields = {"query": f"count({rule['expr']})", "stats": "all", "time": str(at), "timeout": "10m"}
                answer = (await client.get("/api/v1/query", params=fields)).json()
                assert answer["status"] == "success", f"{rule['expr']}: {answer.get('error')}"
                samples = answer["data"]["stats"]["samples"]
                group.samples += samples["totalQueryableSamples"]
                group.peak = max(group.peak, samples["peakSamples"])
            group.cpu = Use.of(server).cpu - before.cpu


def config_of(port: int, rules: Sequence[Path]) -> dict[str, Any]:
    return {
        "global": {
            "scrape_interval": f"{SCRAPE}s",
            "scrape_timeout": f"{SCRAPE}s",
            "evaluation_interval": f"{SCRAPE}s",
        },
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {
                "job_name": TARGET["job"],
                "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"instance": TARGET["instance"]}}],
            }
        ],
    }


async def measure(server: Server, port: int, groups: Sequence[Group], seconds: float) -> None:
    rules = sorted(RULES.glob("*.yml"))
    config = server.log.parent / "prometheus.yml"
    async with Prometheus(server.url) as ask:
        await ask.become('up{job="faultline"}', patience=300)
        before = Use.of(server)
        await asyncio.sleep(min(seconds, 90))
        without = Use.of(server)
        plain = await head_series(server)
        config.write_text(yaml.safe_dump(config_of(port, rules)))
        server.reload()
        begun = Use.of(server)
        await watch(ask, groups, seconds)
        over = Use.of(server)
        series = await head_series(server)
        at = time.time()
        config.write_text(yaml.safe_dump(config_of(port, ())))
        server.reload()
    await evaluate_each(server, groups, at)
    print(f"  series {plain:,.0f} scraped, {series:,.0f} with what is recorded")
    print(f"  CPU of a core: {without.since(before):.2f} without rules, {over.since(begun):.2f} with them")
    print(f"  most memory: {without.peak:.2f} GB without rules, {over.peak:.2f} GB with them")
    print(f"  load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for group in groups:
        took = list(group.took.values())
        median, worst = (statistics.median(took), max(took)) if took else (float("nan"),) * 2
        print(
            f"  {group.name:32} every {group.interval:5} s  {len(group.rules):2} rules  {len(took):3} times"
            f"  took {median:7.3f} s (worst {worst:7.3f}), {group.cpu:7.3f} s of CPU,"
            f" {100 * group.cpu / group.interval:5.1f} % of the interval"
            f"  {group.samples / 1e6:8.2f} M samples (most at once {group.peak / 1e6:6.2f} M)"
        )


async def head_series(server: Server) -> float:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
        text = (await client.get("/metrics")).text
    found = re.search(r"^prometheus_tsdb_head_series (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else float("nan")


def compare(count: int, detail: MetricsDetail, seconds: float) -> None:
    groups = groups_of()
    metrics = Metrics(clock=SystemClock(), location="here", version="1", detail=detail)
    checks = checks_of(count)
    metrics.configure(checks)
    runs = runs_of(checks)
    for run in runs:
        metrics.publish(run)
    with tempfile.TemporaryDirectory() as name, exporter(metrics, runs) as port:
        folder = Path(name)
        data = folder / "data"
        begun = time.monotonic()
        now = int(time.time()) // SCRAPE * SCRAPE
        write_past(data, now, metrics, groups, runs)
        size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
        took = time.monotonic() - begun
        print(
            f"\n{count:,} checks, {detail.value}; past of {size / 1e6:,.0f} MB written in {took:.0f} s",
            flush=True,
        )
        # Blocks stay as they were written.
        arguments = (
            "--storage.tsdb.min-block-duration=2h",
            "--storage.tsdb.max-block-duration=2h",
            "--query.timeout=10m",
        )
        with prometheus(folder, config_of(port, ()), data=data, arguments=arguments) as server:
            asyncio.run(measure(server, port, groups, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rules")
    parser.add_argument("--checks", type=int, nargs="+", choices=[count for count, _ in SIZES])
    parser.add_argument("--seconds", type=float, default=300.0)
    arguments = parser.parse_args()
    prometheus_client.disable_created_metrics()
    for count, detail in SIZES:
        if not arguments.checks or count in arguments.checks:
            compare(count, detail, arguments.seconds)


if __name__ == "__main__":
    sys.exit(main())
