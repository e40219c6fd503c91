"""The web application: pages, metrics, health and the API."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import monitor
from monitor.domain.journey import JourneyCatalogue
from monitor.domain.outcome import SlotState
from monitor.investigation.drill_reports import DrillReports
from monitor.web import words
from monitor.web.events import DeploymentLine, Events, deployment_lines
from monitor.web.gate import Gate
from monitor.web.investigation_view import investigation_view
from monitor.web.monitor import Monitor
from monitor.web.overview import (
    STRIP,
    Overview,
    Past,
    Row,
    Standing,
    headline,
    incident_lines,
    row,
    standings,
    tiles,
    why_nothing,
)
from monitor.web.owners_page import owners_view
from monitor.web.probe import ProbeDoor
from monitor.web.run_view import run_view
from monitor.web.runs_page import RunLists
from monitor.web.scrapes import Scrapes
from monitor.web.today import Today
from monitor.web.verdicts import Verdicts

_STATIC = Path(__file__).parent / "static"
_ROWS = 100
# Python reads no number of thousands of digits, and a page has six at most.
_PAGE = re.compile(r"[0-9]{1,6}")
_DEPLOYMENTS = 5
_DAY = dt.timedelta(hours=24)
_SHOWN_INLINE = {".png": "image/png"}
_GAPS = frozenset({SlotState.MISSED, SlotState.LOST, SlotState.SKIPPED})


def create_app(parts: Monitor) -> Starlette:
    """Return the application for one monitor, with its gate in front of every route."""
    pages = Pages(parts)
    routes = [
        Route("/", pages.front),
        Route("/owners", pages.owners),
        Route("/journeys/{name}", pages.runs.of_journey),
        Route("/runs", pages.runs.page),
        Route("/runs/latest", pages.runs.latest),
        Route("/runs/{run_id}", pages.run),
        Route("/runs/{run_id}/artifacts/{name}", pages.artifact),
        Route("/api/v1/checks", pages.checks_json),
        Route("/api/v1/runs", pages.runs.data),
        Route("/api/v1/runs/{run_id}", pages.run_json),
        Route("/api/v1/runs/{run_id}/verdicts", pages.verdicts.listed),
        Route("/api/v1/runs/{run_id}/verdicts", pages.verdicts.add, methods=["POST"]),
        Route("/api/v1/events", pages.events.listed),
        Route("/api/v1/events", pages.events.add, methods=["POST"]),
        Route("/metrics", Scrapes(parts.metrics).answer),
        Route("/probe", ProbeDoor(parts).answer),
        Route("/-/healthy", pages.healthy),
        Route("/-/ready", pages.ready),
        Route("/-/reload", pages.reload, methods=["POST"]),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    gate = Middleware(Gate, web=parts.settings.web)
    return Starlette(routes=routes, middleware=[gate], exception_handlers={404: pages.not_found})


class Pages:
    """Every route, each a few lines: what takes time happens in history or in a thread."""

    def __init__(self, parts: Monitor) -> None:
        """Prepare the templates."""
        self._parts = parts
        self._templates = _templates()
        self._today = Today(parts)
        self.verdicts = Verdicts(parts, self._today)
        self.events = Events(parts)
        self.runs = RunLists(parts, self._page, lambda: _titles(parts.catalogue))

    async def front(self, request: Request) -> Response:
        """Show every check."""
        asked = request.query_params.get("page", "1")
        health, now = self._parts.health(), self._parts.clock.now()
        everyone = await self._standings(now)
        pages = max(1, -(-len(everyone) // _ROWS))
        page = min(pages, max(1, int(asked))) if _PAGE.fullmatch(asked) else 1
        shown = everyone[(page - 1) * _ROWS : page * _ROWS]
        counted = tiles(everyone, len(self._parts.settings.refused))
        view = Overview(
            headline=headline(counted),
            rows=tuple(await asyncio.gather(*(self._row(one, now) for one in shown))),
            incidents=incident_lines(self._parts.open_incidents(), now),
            tiles=counted,
            deployments=await self._deployments(now),
            notices=(*health.problems, *health.notices, *await self._new_dependencies()),
            nothing=why_nothing(self._parts.settings),
            page=page,
            pages=pages,
        )
        return await self._page("overview.html", view=view)

    async def run(self, request: Request) -> Response:
        """Show one run with its evidence."""
        run_id = request.path_params["run_id"]
        stored = await self._parts.history.run(run_id)
        if stored is None:
            return await self._missing("There is no run with this id, or it is older than runs are kept.")
        titles = _titles(self._parts.catalogue)
        view = run_view(
            stored,
            title=titles.get(stored.summary.journey, stored.summary.journey),
            owner_of=lambda url: self._parts.owner_of(url, stored),
        )
        found = investigation_view(stored.evidence, await self._parts.history.verdicts(run_id))
        options = self._parts.settings.options
        return await self._page("run.html", view=view, found=found, options=f" {options}" if options else "")

    async def owners(self, request: Request) -> Response:
        """Show whose each host is that was seen lately."""
        view = await owners_view(self._parts, self._today, request.query_params.get("since", ""))
        return await self._page("owners.html", view=view)

    async def artifact(self, request: Request) -> Response:
        """Hand out a file that a run left; anything but a picture only as a download."""
        name = request.path_params["name"]
        body = await asyncio.to_thread(self._read_artifact, request.path_params["run_id"], name)
        if body is None:
            return await self._missing("There is no such file, or it has been removed to keep within the quota.")
        inline = _SHOWN_INLINE.get(Path(name).suffix)
        headers = {
            "content-security-policy": "default-src 'none'; sandbox",
            "content-disposition": "inline" if inline else f'attachment; filename="{quote(name)}"',
            "cache-control": "private, max-age=3600",
        }
        return Response(body, media_type=inline or "application/octet-stream", headers=headers)

    async def checks_json(self, request: Request) -> Response:
        """Return every check's state as data, and which checks cannot run."""
        rows = []
        for one in await self._standings(self._parts.clock.now()):
            verdict = one.last.verdict if one.last else None
            culprit = verdict.culprit if verdict else None
            rows.append(
                {
                    "check": one.check.name,
                    "state": one.state.value,
                    "run_id": one.last.run_id if one.last else None,
                    "scheduled_at": one.last.scheduled_at.isoformat() if one.last else None,
                    "cause": verdict.cause.value if verdict else None,
                    "culprit": culprit.name if culprit else None,
                    "because": verdict.because if verdict else None,
                }
            )
        refused = [{"check": one.name, "reason": one.reason} for one in self._parts.settings.refused]
        return JSONResponse({"checks": rows, "refused": refused})

    async def run_json(self, request: Request) -> Response:
        """Return one run in the form of ``faultline run --json``."""
        stored = await self._parts.history.run(request.path_params["run_id"])
        if stored is None:
            return JSONResponse({"error": "no such run"}, 404)
        return JSONResponse(await asyncio.to_thread(self._parts.run_json, stored))

    async def healthy(self, request: Request) -> Response:
        """Say whether scheduler, store and workers do their work; a target that is down is not our illness."""
        problems = self._parts.health().problems
        return PlainTextResponse("\n".join(problems or ("healthy",)) + "\n", 503 if problems else 200)

    async def ready(self, request: Request) -> Response:
        """Say whether runs are being made."""
        health = self._parts.health()
        reasons = (*health.problems, *health.waiting)
        return PlainTextResponse("\n".join(reasons or ("ready",)) + "\n", 503 if reasons else 200)

    async def reload(self, request: Request) -> Response:
        """Read the configuration anew."""
        problems = await self._parts.reload()
        if problems:
            text = "the configuration in force stays; mend these and reload again:\n" + "\n".join(problems)
            return PlainTextResponse(text + "\n", 422)
        return PlainTextResponse("reloaded\n")

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Answer an address that does not exist."""
        return await self._missing("There is no page at this address.")

    async def _deployments(self, now: dt.datetime) -> tuple[DeploymentLine, ...]:
        found = await self._parts.history.deployments(now - _DAY, now + _DAY, limit=_DEPLOYMENTS)
        return deployment_lines(found, now)

    async def _new_dependencies(self) -> list[str]:
        """Say which third parties the last drills found to be single points of failure that were none before."""
        reports = DrillReports(self._parts.settings.storage.directory)
        return [
            f"{known.check} has a new single point of failure: {name}; {known.hard.get(name, '')} "
            f"(drilled {words.moment(known.at)})"
            for known in await asyncio.to_thread(reports.all_of_them)
            for name in known.new
        ]

    def _read_artifact(self, run_id: str, name: str) -> bytes | None:
        try:
            with self._parts.history.artifacts.open(run_id, name) as file:
                return file.read()
        except OSError:
            return None

    async def _missing(self, message: str) -> Response:
        return await self._page("missing.html", status=404, message=message)

    async def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        settings = self._parts.settings
        common = {"location": settings.location, "now": self._parts.clock.now(), "version": monitor.__version__}
        render = partial(self._templates.get_template(template).render, **common, **values)
        return HTMLResponse(await asyncio.to_thread(render), status)

    async def _standings(self, now: dt.datetime) -> tuple[Standing, ...]:
        settings = self._parts.settings
        states = await self._parts.history.latest()
        known = {state.check: state for state in states}
        checks = [check for check in settings.checks if check.enabled]
        return await asyncio.to_thread(standings, checks, known, self._parts.in_force_since, now)

    async def _row(self, one: Standing, now: dt.datetime) -> Row:
        history, since = self._parts.history, now - _DAY
        slots = await history.slots(one.check.name, since)
        past = Past(
            runs=await history.recent(one.check.name, STRIP),
            gaps=[slot for slot in slots if slot.state in _GAPS],
            coverage=await history.coverage(one.check.name, since),
        )
        return row(one, past, title=_titles(self._parts.catalogue).get(one.check.journey, one.check.journey), now=now)


def _titles(catalogue: JourneyCatalogue) -> dict[str, str]:
    return {journey.name: journey.title for journey in catalogue.journeys}


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": words.moment,
        "seconds": words.seconds,
        "bytes": words.size,
        "cause_word": words.cause_word,
        "party_word": words.party_word,
        "confidence_word": words.confidence_word,
        "vitals": words.vitals,
        "vantage": words.vantage,
    }
    return environment
