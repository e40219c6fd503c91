"""The web application: pages, metrics, health and the API."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import monitor
from monitor.domain.check import Check
from monitor.domain.journey import JourneyCatalogue
from monitor.domain.outcome import SlotState
from monitor.history.values import RunFilter
from monitor.web import words
from monitor.web.gate import Gate
from monitor.web.monitor import Monitor
from monitor.web.overview import CheckFacts, overview
from monitor.web.run_view import run_view

_STATIC = Path(__file__).parent / "static"
_STRIP = 30
_DAY = dt.timedelta(hours=24)
_SHOWN_INLINE = {".png": "image/png"}
_MOST_LISTED = 500


def create_app(parts: Monitor) -> Starlette:
    """Return the application for one monitor, with its gate in front of every route."""
    pages = Pages(parts)
    routes = [
        Route("/", pages.front),
        Route("/runs/{run_id}", pages.run),
        Route("/runs/{run_id}/artifacts/{name}", pages.artifact),
        Route("/api/v1/checks", pages.checks_json),
        Route("/api/v1/runs", pages.runs_json),
        Route("/api/v1/runs/{run_id}", pages.run_json),
        Route("/metrics", pages.metrics),
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

    async def front(self, request: Request) -> Response:
        """Show every check."""
        facts = await self._facts()
        health = self._parts.health()
        now = self._parts.clock.now()
        view = overview(facts, now=now, notices=(*health.problems, *health.notices))
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
        return await self._page("run.html", view=view)

    async def artifact(self, request: Request) -> Response:
        """Hand out a file that a run left; anything but a picture only as a download."""
        name = request.path_params["name"]
        path = await asyncio.to_thread(self._parts.artifact, request.path_params["run_id"], name)
        if path is None:
            return await self._missing("There is no such file, or it has been removed to keep within the quota.")
        inline = _SHOWN_INLINE.get(path.suffix)
        headers = {"content-security-policy": "default-src 'none'; sandbox", "cache-control": "private, max-age=3600"}
        return FileResponse(
            path,
            media_type=inline or "application/octet-stream",
            filename=path.name,
            content_disposition_type="inline" if inline else "attachment",
            headers=headers,
        )

    async def checks_json(self, request: Request) -> Response:
        """Return every check's state as data."""
        facts = await self._facts()
        view = overview(facts, now=self._parts.clock.now(), notices=())
        rows = [
            {
                "check": row.check,
                "state": row.state.value,
                "run_id": row.run_id,
                "cause": row.cause,
                "culprit": row.culprit or None,
                "because": row.because or None,
            }
            for row in view.rows
        ]
        return JSONResponse({"checks": rows})

    async def runs_json(self, request: Request) -> Response:
        """Return the newest runs, of one check or of all."""
        asked = request.query_params.get("limit", "50")
        if not asked.isdecimal() or not 1 <= int(asked) <= _MOST_LISTED:
            return JSONResponse({"error": f"limit is a whole number from 1 to {_MOST_LISTED}"}, 400)
        wanted = RunFilter(check=request.query_params.get("check"), limit=int(asked))
        summaries = await self._parts.history.runs(wanted)
        rows = [
            {
                "run_id": run.run_id,
                "check": run.check,
                "scheduled_at": run.scheduled_at.isoformat(),
                "outcome": run.outcome.value,
                "duration_seconds": run.duration,
                "cause": run.verdict.cause.value if run.verdict else None,
                "detail": run.verdict.detail.value if run.verdict else None,
            }
            for run in summaries
        ]
        return JSONResponse({"runs": rows})

    async def run_json(self, request: Request) -> Response:
        """Return one run in the form of ``faultline run --json``."""
        stored = await self._parts.history.run(request.path_params["run_id"])
        if stored is None:
            return JSONResponse({"error": "no such run"}, 404)
        return JSONResponse(await asyncio.to_thread(self._parts.run_json, stored))

    async def metrics(self, request: Request) -> Response:
        """Return the metrics in the form that the scraper asks for."""
        accept = request.headers.get("accept", "")
        body, kind = await asyncio.to_thread(self._parts.metrics, accept)
        return Response(body, headers={"content-type": kind, "vary": "accept"})

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

    async def _missing(self, message: str) -> Response:
        return await self._page("missing.html", status=404, message=message)

    async def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        settings = self._parts.settings
        common = {"location": settings.location, "now": self._parts.clock.now(), "version": monitor.__version__}
        render = partial(self._templates.get_template(template).render, **common, **values)
        return HTMLResponse(await asyncio.to_thread(render), status)

    async def _facts(self) -> Sequence[CheckFacts]:
        settings, titles = self._parts.settings, _titles(self._parts.catalogue)
        since = self._parts.clock.now() - _DAY
        refused = {check.name: check.reason for check in settings.refused}
        checks = [check for check in settings.checks if check.enabled]
        return await asyncio.gather(*(self._fact(check, titles, refused, since) for check in checks))

    async def _fact(
        self, check: Check, titles: dict[str, str], refused: dict[str, str], since: dt.datetime
    ) -> CheckFacts:
        history = self._parts.history
        runs = await history.recent(check.name, _STRIP)
        gaps = await history.slots(check.name, since, limit=_STRIP)
        unseen = {SlotState.MISSED, SlotState.LOST, SlotState.SKIPPED}
        return CheckFacts(
            check=check,
            title=titles.get(check.journey, check.journey),
            runs=runs,
            slots=[slot for slot in gaps if slot.state in unseen],
            coverage=await history.coverage(check.name, since),
            refusal=refused.get(check.name),
        )


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
