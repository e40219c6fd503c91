"""The door for scrapers of the blackbox exporter: ``/probe`` with its parameters, its answers and its refusals."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from monitor.domain.check import Check
from monitor.domain.outcome import Outcome
from monitor.domain.secret import Redactor, Secret
from monitor.history.values import RunSummary
from monitor.probes.blackbox.gauges import Gauges
from monitor.probes.blackbox.modules import HttpModule, Module, TcpModule
from monitor.probes.blackbox.probe import TooManyProbes
from monitor.publishing.probe_text import CONTENT_TYPE, RUN_INFO, RUN_MOMENT, exposition, for_a_person
from monitor.web.monitor import Monitor
from monitor.web.overview import fresh_until

T = TypeVar("T")

TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"
_DEFAULT_MODULE = "http_2xx"
# As much earlier than the scraper we give up, so that it still hears of it.
_OFFSET = 0.5
_UNTOLD = 120.0
_LONGEST = 600.0
_LONGEST_TARGET = 2_000
_OFF = "probing on request is switched off here; set 'probe: {enabled: true}' in monitor.yaml to have it\n"


class Refused(Exception):  # noqa: N818 - it says what became of the request
    """The request cannot be fulfilled as it is."""

    def __init__(self, message: str, status: int = 400) -> None:
        """Answer with the message and this status."""
        super().__init__(message)
        self.status = status


class ProbeDoor:
    """Answers for a module that is to be tried on a target, and for a check whose latest result is wanted."""

    def __init__(self, parts: Monitor) -> None:
        """Probe by the modules that are in force when a request comes."""
        self._parts = parts

    async def answer(self, request: Request) -> Response:
        """Answer one request of a scraper or of a person."""
        settings = self._parts.settings
        if not settings.probe.enabled:
            return PlainTextResponse(_OFF, 404)
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return PlainTextResponse("a page of another site may not have anything probed\n", 403)
        try:
            target = _asked(request, "target")
            check = None if _asked(request, "module") else self._check(target)
            if check is not None:
                return await self._latest(request, check)
            return await self._probe(request, target)
        except Refused as refusal:
            return PlainTextResponse(f"{refusal}\n", refusal.status)

    async def _probe(self, request: Request, target: str) -> Response:
        name = _asked(request, "module") or _DEFAULT_MODULE
        module = self._parts.settings.probe.modules.get(name)
        if module is None:
            msg = f"Unknown module {_go_quoted(name)}"
            raise Refused(msg)
        seconds = _patience(request.headers.get(TIMEOUT_HEADER, ""), module.timeout)
        if not target:
            msg = "Target parameter is missing"
            raise Refused(msg)
        if len(target) > _LONGEST_TARGET:
            msg = f"Target parameter is longer than {_LONGEST_TARGET} characters"
            raise Refused(msg)
        module = with_hostname(module, _asked(request, "hostname"))
        try:
            found = await _while_asked(request, self._parts.blackbox.probe(target, module, seconds=seconds))
        except TooManyProbes as error:
            raise Refused(str(error), 503) from None
        if found is None:
            return Response(status_code=499)
        if _asked(request, "debug") != "true":
            return Response(exposition(found.gauges), headers={"content-type": CONTENT_TYPE})
        redactor = Redactor((*self._parts.settings.secrets, *module.secrets, *user_info(target)))
        text = for_a_person(found.gauges, lines=found.lines, shown=module.shown, redactor=redactor)
        return PlainTextResponse(text)

    def _check(self, target: str) -> Check | None:
        return next((check for check in self._parts.settings.checks if check.name == target), None)

    async def _latest(self, request: Request, check: Check) -> Response:
        runs = await self._parts.history.recent(check.name, 1)
        now = self._parts.clock.now()
        if not runs or now > fresh_until(check, runs[0].scheduled_at):
            age = "has not run yet" if not runs else f"last ran at {runs[0].scheduled_at.isoformat()}"
            msg = f"the check {check.name} {age}; there is nothing to say about now"
            raise Refused(msg, 503)
        run = runs[0]
        gauges = gauges_of(run)
        if _asked(request, "debug") != "true":
            return Response(exposition(gauges), headers={"content-type": CONTENT_TYPE})
        lines = (
            f"{check.name} is a check: this is the result of its latest scheduled run, and nothing was run on request.",
            f"The run: {self._parts.settings.web.url}/runs/{run.run_id}",
            *([run.verdict.because] if run.verdict else []),
        )
        redactor = Redactor(self._parts.settings.secrets)
        return PlainTextResponse(
            for_a_person(gauges, lines=lines, shown="none: a check has no module", redactor=redactor)
        )


def gauges_of(run: RunSummary) -> Gauges:
    """Return a run in the exporter's numbers; one that says nothing about customers is neither success nor failure."""
    gauges = Gauges()
    if run.outcome is not Outcome.INCONCLUSIVE:
        gauges.set("probe_success", 0 if run.outcome is Outcome.FAILED else 1)
    gauges.set("probe_duration_seconds", run.duration)
    cause, detail = (run.verdict.cause.value, run.verdict.detail.value) if run.verdict else ("", "")
    gauges.set(RUN_INFO, 1, outcome=run.outcome.value, cause=cause, detail=detail)
    gauges.set(RUN_MOMENT, run.scheduled_at.timestamp())
    return gauges


def with_hostname(module: Module, hostname: str) -> Module:
    """Return the module made to ask for a host name. Raises Refused where it names another one itself."""
    match module.options:
        case HttpModule() as options if hostname:
            own = [value for name, value in options.headers if name.lower() == "host"]
            if any(value != hostname for value in own):
                msg = (
                    f"host header defined both in module configuration ({own[0]}) and with URL-parameter 'hostname'"
                    f" ({hostname})"
                )
                raise Refused(msg)
            if any(char in hostname for char in "\r\n\0"):
                msg = "the parameter 'hostname' must stand on one line"
                raise Refused(msg)
            headers = tuple(each for each in options.headers if each[0].lower() != "host")
            return replace(module, options=replace(options, headers=(*headers, ("Host", hostname))))
        case TcpModule() as options if hostname and not options.starttls.server_name:
            tls = replace(options.starttls, server_name=hostname)
            return replace(module, options=replace(options, starttls=tls, tls=tls if options.tls else None))
        case _:
            return module


def user_info(target: str) -> tuple[Secret, ...]:
    """Return user name and password that stand in a target."""
    try:
        parts = urlsplit(target if "://" in target else f"http://{target}")
        found = [each for each in (parts.username, parts.password) if each]
    except ValueError:
        return ()
    return tuple(Secret("target", form) for each in found for form in {each, unquote(each)})


def _patience(header: str, of_module: float) -> float:
    told = 0.0
    if header:
        try:
            told = float(header)
        except ValueError:
            told = math.nan
        if not math.isfinite(told):
            msg = (
                "Failed to parse timeout from Prometheus header: strconv.ParseFloat: "
                f"parsing {_go_quoted(header[:100])}: invalid syntax"
            )
            raise Refused(msg, 500)
    most = (told or _UNTOLD) - _OFFSET
    return of_module if 0 < of_module < most or most < 0 else min(most, _LONGEST)


def _asked(request: Request, name: str) -> str:
    values = request.query_params.getlist(name)
    return values[0] if values else ""


def _go_quoted(text: str) -> str:
    shown = text[:200].replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown) + '"'


async def _while_asked(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what the work gives, ``None`` where the asker hung up before; the work is broken off then."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.wait({task, gone})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
