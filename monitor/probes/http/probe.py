"""The HTTP probe: lends each attempt a client of its own, and turns what its steps raise into facts."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import httpx

from monitor import __version__
from monitor.domain.assignment import Assignment
from monitor.domain.clock import Clock
from monitor.domain.evidence import ProberFault, StepError, StepErrorKind
from monitor.domain.journey import ProbeKind
from monitor.probes.http.certificates import CertificateReader
from monitor.probes.http.channels import Reactor
from monitor.probes.http.client import Http
from monitor.probes.http.connecting import Connector
from monitor.probes.http.ledger import ExchangeFailed, Ledger
from monitor.probes.http.limits import Limits
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Outgoing
from monitor.probes.http.plan import Plans
from monitor.probes.http.recording import Recorder
from monitor.probes.http.static_answers import StaticAnswers
from monitor.probes.http.transport import Conduct, Extra, Transport
from monitor.probes.http.trust import TrustStore
from monitor.probes.http.webhook import WebhookAddress, WebhookListener
from monitor.probes.interventions import load_interventions
from monitor.probes.session import ExpectationFailed, Observations, ProberError, Session
from monitor.probes.vantage.resolver import Resolver

USER_AGENT = f"Faultline/{__version__} (synthetic monitoring)"
_SHARE_OF_RESERVE = 0.1
_MOST_FRAMES = 6


class HttpProbe:
    """Performs steps over HTTP; one for each worker process, shared by all runs in it."""

    def __init__(
        self,
        *,
        clock: Clock,
        resolver: Resolver,
        limits: Limits | None = None,
        webhooks: WebhookAddress | None = None,
        trust: TrustStore | None = None,
    ) -> None:
        """Use a clock for moments and a resolver for names; the network is first touched when a session opens."""
        self._clock = clock
        self._resolver = resolver
        self._limits = limits or Limits()
        self._plans = Plans(trust or TrustStore(), user_agent=USER_AGENT)
        self._hooks = WebhookListener(webhooks or WebhookAddress())
        self._certificates = CertificateReader()
        self._reactor: Reactor | None = None
        self._connector: Connector | None = None

    @property
    def kind(self) -> ProbeKind:
        """Return the technique."""
        return ProbeKind.HTTP

    @property
    def engine(self) -> str:
        """Return name and version of what performs the steps."""
        return f"httpx {httpx.__version__}, {' '.join(ssl.OPENSSL_VERSION.split()[:2])}"

    async def open(self, assignment: Assignment, attempt: int, *, started: float) -> Session:
        """Lend a fresh client for one attempt. Raises ProberError where we cannot look."""
        interventions = await load_interventions(assignment.interventions) if assignment.interventions else None
        connector = self._engine()
        plan = self._plans.of(assignment)
        recorder = Recorder(redactor=plan.redactor, certificates=self._certificates, attempt=attempt, started=started)
        ledger = Ledger(recorder, self._limits, attempt)
        static = StaticAnswers(plan.redactor) if assignment.archive_to else None
        conduct = _conduct(assignment, ledger, started, self._limits)
        if static is not None:
            conduct = replace(conduct, observe=_noted(ledger, static))
        if interventions is not None:
            interventions.missed = lambda url: ledger.note("replay_missed", url)
            conduct = replace(conduct, interventions=interventions)
        transport = Transport(connector, plan.route, self._limits, conduct)
        http = Http(
            plan=plan,
            transport=transport,
            ledger=ledger,
            limits=self._limits,
            clock=self._clock,
            hooks=self._hooks,
        )
        keep = _Keeping(static, Path(assignment.archive_to)) if static is not None else None
        return HttpSession(http=http, transport=transport, ledger=ledger, recorder=recorder, keep=keep)

    async def alive(self) -> bool:
        """Say whether we could look at all just now: a socket can be had, and the event loop turns."""
        try:
            self._engine()
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM):
                await asyncio.sleep(0)
        except (OSError, ProberError):
            return False
        return True

    async def close(self) -> None:
        """Release everything; never raises."""
        await self._hooks.close()
        reactor, self._reactor, self._connector = self._reactor, None, None
        if reactor is not None:
            reactor.close()

    def _engine(self) -> Connector:
        if self._connector is None:
            try:
                self._reactor = Reactor(asyncio.get_running_loop())
            except OSError as error:
                raise ProberError(ProberFault.OUT_OF_FILES, f"no file is left for the HTTP probe: {error}") from error
            self._connector = Connector(self._reactor, self._resolver, self._limits)
        return self._connector


@dataclass(frozen=True, slots=True)
class _Keeping:
    static: StaticAnswers
    folder: Path


class HttpSession:
    """One attempt's client, and everything it saw."""

    def __init__(
        self, *, http: Http, transport: Transport, ledger: Ledger, recorder: Recorder, keep: _Keeping | None = None
    ) -> None:
        self._http = http
        self._keep = keep
        self._transport = transport
        self._ledger = ledger
        self._recorder = recorder

    @property
    def handle(self) -> Http:
        """Return what journey code is given."""
        return self._http

    def begin_step(self, name: str) -> None:
        """Say that what is observed from now on belongs to this step."""
        self._ledger.step = name
        self._ledger.last = None

    def explain(self, error: BaseException) -> StepError:
        """Turn what a step raised into a fact about the step. Raises ProberError where the fault is ours."""
        told = _most_telling(error)
        message = self._recorder.line(str(told) or type(told).__name__)
        match told:
            case ProberError():
                raise told
            case ExchangeFailed():
                exchange = told.exchange
                return StepError(
                    kind=StepErrorKind.EXCHANGE, message=message, exchange=exchange.id, awaited=exchange.url
                )
            case ExpectationFailed():
                return StepError(kind=StepErrorKind.EXPECTATION, message=message, exchange=self._ledger.last)
            case asyncio.CancelledError():
                text = "the run's deadline came first"
                return StepError(kind=StepErrorKind.DEADLINE, message=text, exchange=self._ledger.waiting)
            case TimeoutError():
                return StepError(kind=StepErrorKind.TIMEOUT, message=message, exchange=self._ledger.waiting)
            case _:
                message = self._recorder.line(f"{type(told).__name__}: {told}")
                return StepError(kind=StepErrorKind.SCRIPT, message=message, detail=self._place(told))

    async def complete(self, error: StepError) -> StepError:
        """Return the error as it is: over HTTP there is nothing else to look at."""
        return error

    async def keep_failure(self, step: str, *, sensitive: bool) -> None:
        """Keep nothing more: what shows a failure over HTTP is in the exchanges already."""

    async def finish(self, *, failed: bool) -> Observations:
        """Close every connection, keep the static answers of a good run if asked to, return what was seen.

        Never raises.
        """
        self._ledger.close()
        await self._transport.aclose()
        if self._keep is not None and not failed:
            await self._keep.static.write(self._keep.folder)
        ledger = self._ledger
        return Observations(exchanges=ledger.exchanges, events=ledger.events, truncated=ledger.truncated)

    def _place(self, error: BaseException) -> str:
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        return self._recorder.line("; ".join(f"{each.filename}:{each.lineno} in {each.name}" for each in frames))


def _conduct(assignment: Assignment, ledger: Ledger, started: float, limits: Limits) -> Conduct:
    seconds = assignment.check.deadline.total_seconds()
    network = assignment.check.profile.network
    trace: Extra = ()
    if assignment.traceparent:
        trace = ((b"traceparent", assignment.traceparent.encode("ascii", "replace")),)
    first_party = assignment.first_party
    return Conduct(
        deadline=started + seconds - min(limits.reserve, seconds * _SHARE_OF_RESERVE),
        headers_for=lambda host: trace if trace and _belongs(host, first_party) else (),
        observe=ledger.begin,
        offline=network is not None and network.offline,
    )


def _noted(ledger: Ledger, static: StaticAnswers) -> Callable[[Outgoing, str | None], Observation]:
    def observe(outgoing: Outgoing, redirected_from: str | None) -> Observation:
        observation = ledger.begin(outgoing, redirected_from)
        static.note(outgoing, observation)
        return observation

    return observe


@lru_cache(maxsize=4096)
def _belongs(host: str, domains: tuple[str, ...]) -> bool:
    """Say whether a host is one of the names, or stands below one of them."""
    names = [each.removeprefix("*.").lower() for each in domains]
    return any(host == name or host.endswith(f".{name}") for name in names)


def _most_telling(error: BaseException) -> BaseException:
    """Return the one error of a group that says most: ours first, then an exchange, then an expectation."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = tuple(_leaves(error))
    for kind in (ProberError, ExchangeFailed, ExpectationFailed):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    return leaves[0]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each
