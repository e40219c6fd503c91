"""What was observed during a run. Facts only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.deployment import Deployment
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.reference import Baseline, Difference, Lately
from monitor.domain.script_time import ScriptTime

EVIDENCE_SCHEMA = 2
"""The version of the shape of evidence. Version 1 knew no comparison, no baseline and no facts of an experiment."""


class StepErrorKind(StrEnum):
    """In what way a step did not succeed."""

    EXPECTATION = "expectation"
    TIMEOUT = "timeout"
    EXCHANGE = "exchange"
    INTERCEPTED = "intercepted"
    AMBIGUOUS = "ambiguous"
    PAGE_CRASHED = "page_crashed"
    SCRIPT = "script"
    DEADLINE = "deadline"
    PROBER = "prober"


class ProberFault(StrEnum):
    """What was wrong with ourselves: any of these makes a run inconclusive."""

    BROWSER_MISSING = "browser_missing"
    BROWSER_FOREIGN = "browser_foreign"
    BROWSER_CRASHED = "browser_crashed"
    BROWSER_FROZEN = "browser_frozen"
    DRIVER_DIED = "driver_died"
    WORKER_DIED = "worker_died"
    WORKER_KILLED = "worker_killed"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_FILES = "out_of_files"
    DISK_FULL = "disk_full"
    STARVED = "starved"
    SCRIPT = "script"
    SECRET_MISSING = "secret_missing"  # noqa: S105 - names a fault, holds no secret
    OFFLINE = "offline"
    ASSERTION_TIMEOUT = "assertion_timeout"
    INTERNAL = "internal"


class ConsoleLevel(StrEnum):
    """How loud a console line is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleMessage:
    """One line of the page's console, shortened and masked."""

    level: ConsoleLevel
    text: str
    url: str = ""
    line: int | None = None
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageError:
    """An exception that no code of the page caught. ``frames`` are the script URLs of its stack, innermost first."""

    message: str
    frames: tuple[str, ...] = ()
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketFacts:
    """One WebSocket of the page and how it ended.

    Attributes:
        answered: Whether the server answered the handshake; ``None`` where nobody could see it.
    """

    url: str
    host: str
    answered: bool | None = None
    error: str | None = None
    frames_sent: int = 0
    frames_received: int = 0
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvent:
    """Something the page did beside requests: ``dialog``, ``popup``, ``download``, ``crash``, ``navigation``."""

    kind: str
    text: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Web Vitals of the first page of a run: seconds, and the unitless layout shift."""

    largest_contentful_paint: float | None = None
    first_contentful_paint: float | None = None
    time_to_first_byte: float | None = None
    interaction_to_next_paint: float | None = None
    cumulative_layout_shift: float | None = None
    long_tasks: int = 0
    long_task_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepError:
    """Why a step did not succeed, in words a person can act on; secrets are masked.

    Attributes:
        exchange: ``id`` of the exchange that the step was waiting for, where it is known.
        awaited: What the step waited for: a URL, a selector, a condition.
        intercepted_by: The element that was in the way of a click.
        intercepted_stack: URLs of the scripts that made that element, innermost first; the page itself where its markup
            holds the element.
    """

    kind: StepErrorKind
    message: str
    exchange: str | None = None
    awaited: str = ""
    intercepted_by: str = ""
    intercepted_stack: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How one step of one attempt went."""

    name: str
    title: str
    outcome: StepOutcome
    started: float = 0.0
    duration: float = 0.0
    capability: str | None = None
    budget: float | None = None
    effects: bool = False
    error: StepError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a run left: its kind (``screenshot``, ``har``, ``trace``), its name and its size in bytes."""

    kind: str
    name: str
    size: int
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try within a run. ``outcome`` is what the steps say, before anybody judges."""

    number: int
    outcome: Outcome
    started: float
    duration: float
    steps: tuple[StepResult, ...] = ()
    prober_fault: ProberFault | None = None
    prober_fault_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VantageHealth:
    """How we ourselves fared during the run; ``None`` where the system does not tell.

    Attributes:
        loop_lag_p50: Seconds by which the worker's event loop ran late, the median of the run's samples.
        cpu_pressure: Share of the last 10 s in which something waited for a processor, in percent (PSI ``some avg10``).
        memory_pressure: The same for memory.
        throttled_ratio: Share of scheduling periods in which our control group was throttled.
        browser_alive: The answer to the liveness ping before the journey and at its failures.
        clock_stepped: Seconds by which the wall clock moved against the monotonic one.
    """

    loop_lag_p50: float | None = None
    loop_lag_max: float | None = None
    cpu_pressure: float | None = None
    memory_pressure: float | None = None
    throttled_ratio: float | None = None
    disk_free_bytes: int | None = None
    browser_alive: bool | None = None
    oom_kills: int | None = None
    clock_stepped: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """With which good run this one was compared, how old that was in seconds, and in what the two differ.

    Attributes:
        profile: The profile of another check whose good run that was, where the check itself has none: what it was sent
            may differ for that reason alone. Empty for the check's own.
        failed_alike: Ids of exchanges that failed in the good run too, in the same way and always, and did no harm.
        thrown: What code of the page threw in the good run.
        sockets: WebSockets that failed in the good run, as host and path.
    """

    run_id: str
    age: float
    differences: tuple[Difference, ...] = ()
    profile: str = ""
    failed_alike: tuple[str, ...] = ()
    thrown: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """A cap that was reached: what was cut, how much was kept, how much there was."""

    what: str
    kept: int
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything observed during one run.

    Attributes:
        schema: Version of this shape; evidence of another version is judged or refused knowingly.
        started_at: Wall-clock moment of the start; all other times in here are seconds from it.
        engine: Name and version of what performed the steps.
        scripts: Where the main thread's time went, the longest first.
        experiments: What the investigation tried, in the order in which it did.
        compared: How the run differs from the last good one; ``None`` where there is none to compare with.
        baseline: What a run usually takes; only with runs that did not plainly pass.
        lately: How the check fared before; only with runs that failed, and where history could tell.
        deployments: What was deployed in the two hours before the first failure, as far as we were told.
        failing_since: The first failure of the episode that the run belongs to; ``None`` where nobody looked.
    """

    schema: int = EVIDENCE_SCHEMA
    started_at: dt.datetime
    duration: float
    attempts: tuple[Attempt, ...]
    exchanges: tuple[Exchange, ...] = ()
    console: tuple[ConsoleMessage, ...] = ()
    page_errors: tuple[PageError, ...] = ()
    websockets: tuple[WebSocketFacts, ...] = ()
    events: tuple[PageEvent, ...] = ()
    vitals: Vitals | None = None
    scripts: tuple[ScriptTime, ...] = ()
    vantage: VantageHealth = VantageHealth()
    experiments: tuple[Experiment, ...] = ()
    compared: Comparison | None = None
    baseline: Baseline | None = None
    lately: Lately | None = None
    deployments: tuple[Deployment, ...] = ()
    failing_since: dt.datetime | None = None
    artifacts: tuple[Artifact, ...] = ()
    truncated: tuple[Truncation, ...] = ()
    engine: str = ""
    worker: str = ""

    @property
    def last(self) -> Attempt:
        """Return the attempt that decides: the last one."""
        return self.attempts[-1]

    @property
    def recovered(self) -> bool:
        """Say whether a failed attempt was followed by one that passed."""
        good = {Outcome.PASSED, Outcome.DEGRADED}
        return self.last.outcome in good and any(attempt.outcome not in good for attempt in self.attempts[:-1])
