"""Asks both probers the same, and says where their answers differ."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route

from monitor.config.blackbox import modules_from
from monitor.config.settings import ProbeSettings, WebSettings
from monitor.probes.blackbox.probe import Blackbox
from monitor.web.probe import ProbeDoor
from tests.probes.blackbox.cases import Case, cases, modules
from tests.probes.blackbox.world import World
from tests.servers import blackbox_exporter

AT_ONCE = 6
# A busy machine may cut a probe short on either side; a real difference is there each time.
TRIES = 3

# Times differ from probe to probe: here only that they are there, and whether anything was measured at all.
TIMES = frozenset(
    {
        "probe_duration_seconds",
        "probe_dns_lookup_time_seconds",
        "probe_http_duration_seconds",
        "probe_dns_duration_seconds",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """A difference that is meant to be."""

    family: str
    titles: frozenset[str] | None
    reason: str

    def covers(self, title: str, difference: str) -> bool:
        """Say whether a difference of a case is this one."""
        return difference.startswith(f"{self.family}{{") and (self.titles is None or title in self.titles)


INTENDED: tuple[Intended, ...] = (
    Intended(
        family="probe_tls_cipher_info",
        titles=None,
        reason="which cipher suite two sides agree on depends on the TLS library: Go's there, OpenSSL here",
    ),
)

Series = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a prober said: families by name with type and help, and values by series."""

    status: int
    families: Mapping[str, tuple[str, str]]
    series: Series

    def value(self, name: str) -> float | None:
        """Return the value of a series without labels."""
        return self.series.get((name, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One case with both answers."""

    case: Case
    theirs: Answer
    ours: Answer

    @property
    def differences(self) -> tuple[str, ...]:
        """Return where the two differ, whether that is meant to be or not."""
        return tuple(_differences(self.theirs, self.ours))

    @property
    def unintended(self) -> tuple[str, ...]:
        """Return the differences that are not meant to be."""
        title = self.case.title
        return tuple(each for each in self.differences if not any(known.covers(title, each) for known in INTENDED))


def read(response: httpx.Response) -> Answer:
    """Read an answer in the text format."""
    if response.status_code != httpx.codes.OK:
        return Answer(status=response.status_code, families={}, series={})
    families = list(text_string_to_metric_families(response.text))
    return Answer(
        status=response.status_code,
        families={family.name: (family.type, family.documentation) for family in families},
        series={
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        },
    )


def _differences(theirs: Answer, ours: Answer) -> Iterator[str]:
    if theirs.status != ours.status:
        yield f"status{{}} {theirs.status} there, {ours.status} here"
    for name in sorted({*theirs.families, *ours.families}):
        there, here = theirs.families.get(name), ours.families.get(name)
        if there != here:
            yield f"{name}{{}} {there} there, {here} here"
    for key in sorted({*theirs.series, *ours.series}):
        there, here = theirs.series.get(key), ours.series.get(key)
        if not _alike(key[0], there, here):
            labels = ",".join(f'{name}="{value}"' for name, value in key[1])
            yield f"{key[0]}{{{labels}}} {there} there, {here} here"


def _alike(name: str, there: float | None, here: float | None) -> bool:
    if there is None or here is None:
        return there is here
    if name in TIMES:
        return (there > 0) == (here > 0)
    return there == here or (math.isnan(there) and math.isnan(here))


@contextlib.contextmanager
def our_door(file: Path) -> Iterator[Starlette]:
    """Open our own door with a file of modules."""
    found, problems = modules_from(file)
    assert not problems, problems
    blackbox = Blackbox(user_agent="Faultline/test", now=lambda: dt.datetime.now(dt.UTC))
    settings = SimpleNamespace(probe=ProbeSettings(modules=found), secrets=(), checks=(), web=WebSettings())
    door = ProbeDoor(SimpleNamespace(settings=settings, blackbox=blackbox))
    try:
        yield Starlette(routes=[Route("/probe", door.answer)])
    finally:
        blackbox.close()


async def ask(client: httpx.AsyncClient, case: Case) -> Answer:
    """Ask one prober as Prometheus would."""
    parameters = {"module": case.module, "target": case.target}
    if case.hostname:
        parameters["hostname"] = case.hostname
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": case.patience}
    return read(await client.get("/probe", params=parameters, headers=headers, timeout=30))


async def compare(folder: Path, wanted: Iterable[str] | None = None) -> tuple[Compared, ...]:
    """Return the table, both probers asked; ``wanted`` titles only where it is given."""
    async with World(folder) as world:
        file = folder / "modules.yml"
        file.write_text(yaml.safe_dump(modules(world), sort_keys=False))
        table = [case for case in cases(world) if wanted is None or case.title in wanted]
        running = blackbox_exporter(folder, file)
        server = await asyncio.to_thread(running.__enter__)
        try:
            room = asyncio.Semaphore(AT_ONCE)
            with our_door(file) as app:
                door = httpx.ASGITransport(app=app)
                async with (
                    httpx.AsyncClient(base_url=server.url, trust_env=False) as theirs,
                    httpx.AsyncClient(transport=door, base_url="http://127.0.0.1") as ours,
                ):
                    return tuple(await asyncio.gather(*(_both(case, theirs, ours, room) for case in table)))
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)


async def _both(case: Case, theirs: httpx.AsyncClient, ours: httpx.AsyncClient, room: asyncio.Semaphore) -> Compared:
    async with room:
        row = Compared(case=case, theirs=await ask(theirs, case), ours=await ask(ours, case))
        for _ in range(TRIES - 1):
            if not row.unintended:
                break
            row = Compared(case=case, theirs=await ask(theirs, case), ours=await ask(ours, case))
        return row
