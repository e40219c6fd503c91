"""The model of ``monitor.yaml``."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.check_model import CheckModel, DefaultsModel, MaintenanceModel
from monitor.config.drills import DrillModel
from monitor.config.events_model import EventsModel
from monitor.config.header_name import HeaderName
from monitor.config.investigation_model import InvestigationModel
from monitor.config.metrics_model import BusinessModel, MetricsModel
from monitor.config.notifications_model import NotificationsModel
from monitor.config.presets import EXECUTABLES, check_executable
from monitor.config.probe_model import ProbeModel
from monitor.config.profile_model import Overrides, ProfileModel
from monitor.config.secrets import SecretValue, Value
from monitor.config.tracing_model import TracingModel
from monitor.reading.addresses import BaseUrl, check_host, split_host_port
from monitor.reading.names import SLUG_PATTERN, PathText, check_slug
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration, Size
from monitor.reading.validation import FileModel

# What people know from other tools, for the sake of good advice.
SYNONYMS: Mapping[str, str] = types.MappingProxyType(
    {
        "interval": "every",
        "frequency": "every",
        "schedule": "every",
        "timeout": "deadline",
        "timelimit": "deadline",
        "retries": "attempts",
        "retry": "attempts",
        "profiles": "profile",
        "url": "base_url",
        "user": "username",
        "owner": "team",
        "business_process": "process",
        "apdex": "satisfied_within",
        "slo": "objective",
        "params": "values",
        "parameters": "values",
        "monitors": "checks",
        "jobs": "checks",
        "environments": "targets",
        "security": "web",
        "auth": "web",
        "browser": "engine",
        "ca_file": "extra_ca",
        "resolve": "hosts",
        "dns": "resolver",
        "dns_servers": "resolvers",
        "nameservers": "resolvers",
        "experiments": "investigation",
        "diagnosis": "investigation",
        "analysis": "investigation",
        "proxies": "vantages",
        "places": "vantages",
        "locations": "vantages",
        "reference": "reference_profile",
        "max_requests": "requests",
        "alerts": "notifications",
        "alerting": "notifications",
        "notifiers": "notifications",
        "mail": "email",
        "smtp": "email",
        "recipients": "to",
        "max_journeys": "journeys",
    },
)


def check_listen(value: str) -> str:
    """Return ``host:port`` as it is. Raises ValueError where a part is missing."""
    if split_host_port(value).port is None:
        msg = f"{quoted(value)} has no port; write 127.0.0.1:9488"
        raise ValueError(msg)
    return value


def _executable(key: str) -> AfterValidator:
    return AfterValidator(lambda value: check_executable(key, value))


_Chromium = Annotated[str, _executable("chromium"), Field(json_schema_extra={"enum": list(EXECUTABLES["chromium"])})]
_HeadlessShell = Annotated[
    str, _executable("headless_shell"), Field(json_schema_extra={"enum": list(EXECUTABLES["headless_shell"])})
]
_Firefox = Annotated[str, _executable("firefox"), Field(json_schema_extra={"enum": list(EXECUTABLES["firefox"])})]


class TargetModel(FileModel):
    """The environment that journeys are aimed at."""

    base_url: BaseUrl = Field(description="Scheme, host and port, perhaps a path; `${NAME}` is replaced.")
    headers: dict[HeaderName, Value] = Field(
        default_factory=dict, description="Headers for the target's own origin only; values may be secrets."
    )
    hosts: Overrides = Field(default_factory=dict, description="`host` or `host:port` to the address to connect to.")
    extra_ca: PathText | None = Field(
        default=None, description="PEM file of certificate authorities trusted beside the public ones."
    )
    concurrency: int = Field(default=1, ge=1, le=1000, description="Runs against this target at the same time.")
    allowed_private: bool = Field(default=True, description="Whether loopback and private addresses may be contacted.")
    trace_context: bool = Field(default=False, description="Whether requests to own hosts carry a `traceparent`.")


class StorageModel(FileModel):
    """Where and how long runs are kept."""

    directory: PathText = Field(default="../data", description="Folder of the run store and its artifacts.")
    url: Value | None = Field(default=None, description="Database URL instead of SQLite in `directory`.")
    keep_runs: Duration | None = Field(default=None, description="How long runs are kept; 90d where it is left out.")
    keep_evidence: Duration | None = Field(
        default=None, description="How long the full evidence of passed runs is kept; 14d where it is left out."
    )
    artifact_quota: Size = Field(default=1_000_000_000, description="Room for all artifacts together.")


class WebModel(FileModel):
    """Where pages and metrics are served."""

    listen: Annotated[str, AfterValidator(check_listen)] = Field(
        default="127.0.0.1:9488", description="`host:port`; other than loopback only with a password."
    )
    external_url: BaseUrl | None = Field(default=None, description="Address under which people reach the pages.")
    username: str | None = Field(default=None, min_length=1, max_length=100, description="User name for all pages.")
    password: SecretValue | None = Field(
        default=None, description="Password for all pages: `${NAME}` or `{file: path}`."
    )

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            msg = "needs both 'username' and 'password', or neither"
            raise ValueError(msg)
        return self


class WorkersModel(FileModel):
    """How much may run at the same time, and in what bounds."""

    browsers: int = Field(default=1, ge=0, le=256, description="Browser workers; each runs one journey at a time.")
    scripts: int = Field(default=2, ge=0, le=256, description="Workers for HTTP journeys written in Python.")
    http_runs: int = Field(default=200, ge=1, le=10_000, description="Declarative HTTP journeys at a time.")
    browser_memory: Size = Field(default=2_000_000_000, description="Memory of a browser worker with its browser.")
    worker_memory: Size = Field(default=1_000_000_000, description="Memory of any other worker.")
    runs_per_browser: int = Field(
        default=50, ge=1, le=100_000, description="Runs before a browser is replaced by a fresh one."
    )
    chromium: _Chromium | None = Field(default=None, description="Path of Chromium.")
    headless_shell: _HeadlessShell | None = Field(default=None, description="Path of Chromium's headless shell.")
    firefox: _Firefox | None = Field(default=None, description="Path of Firefox.")
    webhook_host: Annotated[str, AfterValidator(check_host)] = Field(
        default="127.0.0.1", description="Address on which workers listen for webhooks that a step waits for."
    )
    webhook_url: BaseUrl | None = Field(
        default=None, description="Address under which the target reaches those webhooks."
    )


_Location = Annotated[
    str, AfterValidator(check_slug), Field(json_schema_extra={"pattern": rf"(?:{SLUG_PATTERN})|\$\{{"})
]
_Name = Annotated[str, AfterValidator(check_slug)]


class MonitorModel(FileModel):
    """Everything that ``monitor.yaml`` may say."""

    location: _Location = Field(description="Name of the place that we look from; `${NAME}` is replaced.")
    journeys: PathText = Field(default="../checks", description="Folder of the journeys.")
    ownership: str | None = Field(
        default=None,
        min_length=1,
        description="Ownership file; `ownership.yaml` beside this file where it is left out.",
    )
    storage: StorageModel = Field(default_factory=StorageModel, description="Where and how long runs are kept.")
    web: WebModel = Field(default_factory=WebModel, description="Where pages and metrics are served.")
    workers: WorkersModel = Field(default_factory=WorkersModel, description="How much may run at the same time.")
    investigation: InvestigationModel = Field(
        default_factory=InvestigationModel, description="What may be tried to find out whose a failure is."
    )
    tracing: TracingModel | None = Field(default=None, description="Where a trace of each run goes.")
    metrics: MetricsModel = Field(default_factory=MetricsModel, description="How much is counted of each check.")
    notifications: NotificationsModel = Field(
        default_factory=NotificationsModel, description="Who is told of failures, without an Alertmanager."
    )
    events: EventsModel = Field(default_factory=EventsModel, description="Where deployments are told of.")
    business: BusinessModel = Field(default_factory=BusinessModel, description="What the numbers of the business mean.")
    probe: ProbeModel = Field(
        default_factory=ProbeModel, description="Probing on request, in the manner of the blackbox exporter."
    )
    profiles: dict[_Name, ProfileModel] = Field(
        default_factory=dict, description="Client profiles by name; `desktop` exists unless it is given here."
    )
    targets: dict[_Name, TargetModel] = Field(min_length=1, description="Targets by name.")
    defaults: DefaultsModel = Field(default_factory=DefaultsModel, description="What checks share.")
    checks: list[CheckModel] = Field(min_length=1, description="The checks.")
    maintenance: list[MaintenanceModel] = Field(default_factory=list, description="Times without runs.")
    drills: list[DrillModel] = Field(default_factory=list, description="Checks that are drilled, and when.")


class Remainder(MonitorModel):
    """What is left of a file whose other parts have problems: it may lack anything."""

    location: str = "unknown"
    targets: dict[_Name, TargetModel] = Field(default_factory=dict)
    checks: list[CheckModel] = Field(default_factory=list)
