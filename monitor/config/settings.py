"""What the configuration says, as frozen values that the rest of the program is built from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from monitor.config.receivers import NotificationSettings
from monitor.domain.check import Check, MaintenanceWindow, Schedule
from monitor.domain.ownership import Ownership
from monitor.domain.profile import ClientProfile, Proxy
from monitor.domain.secret import Secret
from monitor.probes.blackbox.modules import Module

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - turned into loopback, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Where and how long runs are kept.

    Attributes:
        url: A database URL; SQLite in ``directory`` when ``None``.
        keep_runs: How long runs are kept.
        keep_evidence: How long the full evidence of runs that passed is kept.
        artifact_quota_bytes: How many bytes all artifacts together may take.
    """

    directory: Path
    url: Secret | None = None
    keep_runs: dt.timedelta = dt.timedelta(days=90)
    keep_evidence: dt.timedelta = dt.timedelta(days=14)
    artifact_quota_bytes: int = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where pages and metrics are served. An address other than loopback needs a password."""

    host: str = "127.0.0.1"
    port: int = 9488
    external_url: str = ""
    username: str | None = None
    password: Secret | None = None

    @property
    def url(self) -> str:
        """Return the address under which people reach the pages."""
        return self.external_url or f"http://{self.host}:{self.port}"

    @property
    def nearby(self) -> str:
        """Return the host, without brackets, under which this machine itself reaches the pages."""
        host = self.host.strip("[]")
        return _ANYWHERE.get(host, host)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How much may run at the same time, and in what bounds.

    Attributes:
        browsers: Browser workers; each runs one journey at a time.
        scripts: Workers for HTTP journeys written in Python; each runs one at a time.
        http_runs: Declarative HTTP journeys that the one HTTP worker runs at a time.
        browser_memory_bytes: What a browser worker's whole process tree may use.
        runs_per_browser: After so many runs a browser is replaced by a fresh one.
        webhook_host: The address on which a worker listens for webhooks that a step waits for.
    """

    browsers: int = 1
    scripts: int = 2
    http_runs: int = 200
    browser_memory_bytes: int = 2_000_000_000
    worker_memory_bytes: int = 1_000_000_000
    runs_per_browser: int = 50
    chromium: Path | None = None
    headless_shell: Path | None = None
    firefox: Path | None = None
    webhook_host: str = "127.0.0.1"
    webhook_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVantage:
    """Another place from which single requests can be made: a forward proxy that stands there."""

    name: str
    proxy: Proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationSettings:
    """What may be tried to find out whose a failure is.

    Attributes:
        journeys: How many times the journey may be made again for one failed run.
        requests: How many single requests may be made for it.
        time_limit: When the investigation of one run ends at the latest.
        resolvers: DNS servers that are asked beside the client's own, as ``address`` or ``address:port``.
        vantages: Other places to look from.
        reference_profile: The profile that is known to be served well; the first other one of the target when ``None``.
        keep_answers: How old a last good run may be to be compared with and replayed.
    """

    enabled: bool = True
    journeys: int = 3
    requests: int = 40
    time_limit: dt.timedelta = dt.timedelta(seconds=60)
    resolvers: tuple[str, ...] = ()
    vantages: tuple[OtherVantage, ...] = ()
    reference_profile: str | None = None
    keep_answers: dt.timedelta = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """Where a trace of each run goes: an OTLP receiver that speaks HTTP."""

    endpoint: str
    headers: tuple[tuple[str, Secret], ...] = ()
    service_name: str = "faultline"
    timeout: dt.timedelta = dt.timedelta(seconds=10)


class MetricsDetail(StrEnum):
    """How much is counted of each check; ``docs/metrics.md`` says what each level holds."""

    CORE = "core"
    STANDARD = "standard"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """How much is counted of each check, and how many series all checks together may have."""

    detail: MetricsDetail = MetricsDetail.STANDARD
    series_limit: int = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """Probing on request, as Prometheus asks the blackbox exporter for it.

    Attributes:
        at_once: How many probes run at the same time; further ones wait within their time.
        modules: How targets are asked, by name.
    """

    enabled: bool = True
    at_once: int = 32
    modules: Mapping[str, Module] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """A check that is drilled, and when."""

    check: str
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCheck:
    """A check that does not run, and why; the others do."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a check stands: line and column count from 1; ``path`` is such as ``checks[0]``."""

    file: str
    line: int
    column: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the configuration says.

    Attributes:
        currency: In what the checks' values per customer are given, as an ISO 4217 code.
        events_file: A file that others append deployments to.
        profiles: Every client profile that can be used, whether a check names it or not.
        places: Where each check stands, by its name.
        options: What a command has to be given to mean this monitor; empty where it need not be given anything.
    """

    path: Path
    location: str
    journeys: Path
    checks: tuple[Check, ...]
    refused: tuple[RefusedCheck, ...] = ()
    ownership: Ownership = field(default_factory=Ownership)
    maintenance: tuple[MaintenanceWindow, ...] = ()
    drills: tuple[DrillPlan, ...] = ()
    storage: StorageSettings
    web: WebSettings = WebSettings()
    workers: WorkerSettings = WorkerSettings()
    investigation: InvestigationSettings = InvestigationSettings()
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    tracing: TracingSettings | None = None
    metrics: MetricsSettings = MetricsSettings()
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    events_file: Path | None = None
    currency: str | None = None
    profiles: tuple[ClientProfile, ...] = ()
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    places: Mapping[str, Place] = field(default_factory=dict, repr=False, compare=False)
    options: str = ""
