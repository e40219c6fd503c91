"""CPU per HTTP probe and error of its time to first byte, against blackbox_exporter in the same run.

The truth is the server's: a process of its own records the time between the arrival of each request and the departure
of its answer, both stamped by the kernel. The error is what a prober says of that time, minus the truth. Ours and
blackbox_exporter take turns on the same core, the server has the other one.

Usage: ``python tests/benchmarks/http_probe.py [--json PATH] [--rounds N] [--quick]``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

HERE = Path(__file__).parent / "http"
BLACKBOX = "prometheus-blackbox-exporter"
DELAY = 0.05
HOST = "127.0.0.1"
CORES = sorted(os.sched_getaffinity(0))
PROBER_CORE = {CORES[0]}
OTHER_CORE = {CORES[-1]}
PROCESSING = re.compile(rb'^probe_http_duration_seconds\{phase="processing"\} (\S+)$', re.MULTILINE)
# What must be reached: a ratio to blackbox_exporter's CPU, and microseconds of error at the 99th percentile.
MUST_CPU = {"http": 0.75, "https": 1.0}
MUST_ERROR_US = {"spread": 150.0, "burst": 250.0, "burn": 250.0}


@dataclass(frozen=True)
class Scenario:
    name: str
    scheme: str
    rate: str
    count: int
    kind: str = "spread"


SCENARIOS = (
    Scenario("HTTP, 100/s", "http", "100", 300),
    Scenario("HTTP, 500/s", "http", "500", 1500),
    Scenario("HTTPS, 100/s", "https", "100", 300),
    Scenario("HTTPS, 500/s", "https", "500", 1500),
    Scenario("HTTP, burst of 500", "http", "burst", 500, "burst"),
    Scenario("HTTP, 100/s beside a busy thread", "http", "100", 300, "burn"),
)


@dataclass(frozen=True)
class Measured:
    cpu_ms: float
    errors_us: list[float]
    sources: dict[str, int]

    def quantile(self, share: float) -> float:
        ordered = sorted(self.errors_us)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextlib.contextmanager
def server(certificate: Path | None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    command = [sys.executable, str(HERE / "server.py"), str(DELAY)] + ([str(certificate)] if certificate else [])
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, OTHER_CORE),  # noqa: PLW1509 - this program has one thread
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()


def truth_of(process: subprocess.Popen[bytes]) -> dict[str, float]:
    out, _ = process.communicate(b"", timeout=30)
    records: dict[str, int] = json.loads(out.splitlines()[-1])
    return {name: taken / 1e9 for name, taken in records.items()}


def ours(scenario: Scenario, certificate: Path | None, authority: Path) -> Measured:
    with server(certificate) as (port, process):
        url = f"{scenario.scheme}://{HOST}:{port}"
        command = [sys.executable, str(HERE / "client.py"), url, str(authority) if certificate else "-"]
        command += [scenario.rate, str(scenario.count)] + (["burn"] if scenario.kind == "burn" else [])
        # A busy thread holds the interpreter's lock; it need not take the very core away as well.
        cores = set(CORES) if scenario.kind == "burn" else PROBER_CORE
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        told = json.loads(done.stdout)
        truth = truth_of(process)
    errors = [abs(wait - truth[name]) * 1e6 for name, wait in told["waits"].items()]
    return Measured(told["cpu"] * 1000, errors, told["sources"])


def blackbox(scenario: Scenario, certificate: Path | None, authority: Path) -> Measured:
    with server(certificate) as (port, process), exporter(authority) as (own_port, pid):
        url = f"{scenario.scheme}://{HOST}:{port}"
        os.sched_setaffinity(0, OTHER_CORE)
        asyncio.run(drive(own_port, url, "50", 30, "warm"))
        before = cpu_of(pid)
        waits = asyncio.run(drive(own_port, url, scenario.rate, scenario.count, "bb"))
        cpu = (cpu_of(pid) - before) / scenario.count
        os.sched_setaffinity(0, set(CORES))
        truth = truth_of(process)
    errors = [abs(wait - truth[name]) * 1e6 for name, wait in waits.items() if name in truth]
    return Measured(cpu * 1000, errors, {"failed": scenario.count - len(errors)})


@contextlib.contextmanager
def exporter(authority: Path) -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = authority.with_name("blackbox.yml")
    config.write_text(
        "modules:\n  http_2xx:\n    prober: http\n    timeout: 15s\n    http:\n      preferred_ip_protocol: ip4\n"
        f"      tls_config:\n        ca_file: {authority}\n"
    )
    process = subprocess.Popen(
        [BLACKBOX, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, PROBER_CORE),  # noqa: PLW1509 - as above
        env={"GOMAXPROCS": "1", "PATH": os.environ["PATH"]},
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            subprocess.run(["sleep", "0.05"], check=True)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def drive(port: int, url: str, rate: str, count: int, name: str) -> dict[str, float]:
    """Ask the exporter for probes over connections that are kept open, and return what it said of each."""
    loop = asyncio.get_running_loop()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    waits: dict[str, float] = {}

    async def ask(number: int) -> None:
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        target = f"{url}/?id={name}-{number}".replace(":", "%3A").replace("/", "%2F").replace("?", "%3F")
        target = target.replace("=", "%3D")
        writer.write(f"GET /probe?module=http_2xx&target={target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if length:
            body = await reader.readexactly(int(length[1]))
        else:
            body = b""
            while (size := int(await reader.readline(), 16)) > 0:
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        idle.append((reader, writer))
        found = PROCESSING.search(body)
        # A saturated exporter calls a healthy server failed: such a probe has no time to compare.
        if found and b"probe_success 1" in body:
            waits[f"{name}-{number}"] = float(found[1])

    start = loop.time() + 0.05
    tasks = []
    for number in range(count):
        if rate != "burst":
            await asyncio.sleep(max(0.0, start + number / float(rate) - loop.time()))
        tasks.append(asyncio.ensure_future(ask(number)))
    await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return waits


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="only the scenarios at 500/s, once")
    parser.add_argument("--only", default="", help="only scenarios whose name holds this text")
    chosen = parser.parse_args()
    if shutil.which(BLACKBOX) is None:
        print(f"{BLACKBOX} is not installed: nothing to compare with")
        return 0
    scenarios = [each for each in SCENARIOS if chosen.only in each.name and (not chosen.quick or each.rate == "500")]
    with tempfile.TemporaryDirectory() as directory:
        rows = [compare(each, Path(directory), 1 if chosen.quick else chosen.rounds) for each in scenarios]
    show(rows)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


def compare(scenario: Scenario, directory: Path, rounds: int) -> dict[str, object]:
    certificate, authority = certificates(directory)
    pem = certificate if scenario.scheme == "https" else None
    own: list[Measured] = []
    other: list[Measured] = []
    for _ in range(rounds):
        own.append(ours(scenario, pem, authority))
        if scenario.kind != "burn":
            other.append(blackbox(scenario, pem, authority))
    mine = merged(own)
    row: dict[str, object] = {
        "scenario": scenario.name,
        "cpu_ms": round(mine.cpu_ms, 3),
        "error_p50_us": round(mine.quantile(0.5), 1),
        "error_p99_us": round(mine.quantile(0.99), 1),
        "must_error_p99_us": MUST_ERROR_US[scenario.kind],
        "sources": mine.sources,
    }
    if other:
        theirs = merged(other)
        row |= {
            "blackbox_cpu_ms": round(theirs.cpu_ms, 3),
            "cpu_ratio": round(mine.cpu_ms / theirs.cpu_ms, 2),
            "must_cpu_ratio": MUST_CPU[scenario.scheme],
            "blackbox_failed": theirs.sources["failed"],
            "blackbox_error_p50_us": round(theirs.quantile(0.5), 1),
            "blackbox_error_p99_us": round(theirs.quantile(0.99), 1),
        }
    return row


def certificates(directory: Path) -> tuple[Path, Path]:
    certificate, authority = directory / "server.pem", directory / "authority.pem"
    if not certificate.exists():
        ca = trustme.CA()
        leaf = ca.issue_cert(HOST)
        leaf.private_key_and_cert_chain_pem.write_to_path(certificate)
        ca.cert_pem.write_to_path(authority)
    return certificate, authority


def merged(parts: list[Measured]) -> Measured:
    sources: dict[str, int] = {}
    for part in parts:
        for source, count in part.sources.items():
            sources[source] = sources.get(source, 0) + count
    # Other work on the machine can only add: the round with the least is nearest to the truth.
    return Measured(min(each.cpu_ms for each in parts), [error for each in parts for error in each.errors_us], sources)


def show(rows: list[dict[str, object]]) -> None:
    heads = ("scenario", "CPU ms", "blackbox", "ratio", "must", "error p50/p99 us", "must", "blackbox p50/p99", "clock")
    table = [heads]
    for row in rows:
        get = {**dict.fromkeys(("blackbox_cpu_ms", "cpu_ratio", "must_cpu_ratio", "blackbox_error_p50_us"), ""), **row}
        theirs = f"{row['blackbox_error_p50_us']}/{row['blackbox_error_p99_us']}" if "cpu_ratio" in row else ""
        table.append(
            (
                str(row["scenario"]),
                str(row["cpu_ms"]),
                str(get["blackbox_cpu_ms"]),
                str(get["cpu_ratio"]),
                str(get["must_cpu_ratio"]),
                f"{row['error_p50_us']}/{row['error_p99_us']}",
                str(row["must_error_p99_us"]),
                theirs,
                ",".join(f"{name} {count}" for name, count in dict(row["sources"]).items()),  # type: ignore[call-overload]  # a row of JSON
            )
        )
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
