"""The list of runs: filtered, newest first, and the way to the newest run that a filter lets through."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from monitor.domain.cause import Cause
from monitor.domain.outcome import Outcome
from monitor.history.values import HistoryError, RunSummary
from monitor.web import words
from monitor.web.monitor import Monitor
from monitor.web.overview import WORDS, State
from monitor.web.runs_query import CURSOR, RunsQuery, address, cursor_after, read_query

ROWS = 100
_MOST_LISTED = 500
_USUAL = 50
_LIMIT = re.compile(r"[0-9]{1,6}")
_SPANS = (
    ("now-1h", "last hour"),
    ("now-24h", "last 24 h"),
    ("now-7d", "last 7 days"),
    ("", "all that is kept"),
)

ShowPage = Callable[..., Awaitable[Response]]
_HEADINGS = {400: "Not understood", 404: "Not found", 503: "Not just now"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to narrow the list: its words, its address, and whether it is in force."""

    word: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """One property to which the list is narrowed, and the address of the list without it."""

    name: str
    value: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run of the list."""

    run: RunSummary
    title: str
    word: str
    check_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsView:
    """The whole page."""

    lines: tuple[RunLine, ...]
    outcomes: tuple[Choice, ...]
    causes: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    narrowed: tuple[Narrowing, ...]
    newest: str
    older: str
    refresh: int


class RunLists:
    """Routes of lists of runs."""

    def __init__(self, parts: Monitor, show: ShowPage, titles: Callable[[], Mapping[str, str]]) -> None:
        """List the runs of one monitor; ``show`` renders a template, ``titles`` gives those of the journeys."""
        self._parts = parts
        self._show = show
        self._titles = titles

    async def page(self, request: Request) -> Response:
        """Show the runs that are asked for, a page at a time."""
        try:
            query = self._asked(request)
            found = await self._found(query, ROWS + 1)
        except ValueError as error:
            return await self._refused(400, _sentence("This list cannot be shown", error))
        except HistoryError as error:
            return await self._refused(503, _sentence("This list cannot be shown just now", error))
        view = runs_view(query, found, self._titles())
        return await self._show("runs.html", view=view)

    async def latest(self, request: Request) -> Response:
        """Lead to the newest run that is asked for."""
        try:
            query = self._asked(request)
            found = await self._found(query, 1)
        except ValueError as error:
            return await self._refused(400, _sentence("That run cannot be looked for", error))
        except HistoryError as error:
            return await self._refused(503, _sentence("That run cannot be looked for just now", error))
        if not found:
            asked = ", ".join(f"{name} {value}" for name, value in query.given) or "nothing in particular"
            return await self._refused(
                404, f"There is no such run (asked for: {asked}), or it is older than runs are kept."
            )
        return RedirectResponse(f"/runs/{quote(found[0].run_id)}", 302, {"cache-control": "no-store"})

    async def of_journey(self, request: Request) -> Response:
        """Lead to the runs of one journey."""
        return RedirectResponse(f"/runs?{urlencode({'journey': request.path_params['name']})}", 302)

    async def data(self, request: Request) -> Response:
        """Return the runs that are asked for, as data; ``next`` leads on where there are more."""
        asked = request.query_params.get("limit", str(_USUAL))
        if not _LIMIT.fullmatch(asked) or not 1 <= int(asked) <= _MOST_LISTED:
            return JSONResponse({"error": f"limit is a whole number from 1 to {_MOST_LISTED}"}, 400)
        limit = int(asked)
        try:
            query = self._asked(request, "limit")
            found = await self._found(query, limit + 1)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        except HistoryError as error:
            return JSONResponse({"error": str(error)}, 503)
        answer: dict[str, object] = {"runs": [_as_data(run) for run in found[:limit]]}
        if len(found) > limit:
            answer["next"] = address([*query.given, ("limit", asked), _go_on(found[limit - 1])], "/api/v1/runs")
        return JSONResponse(answer)

    def _asked(self, request: Request, *others: str) -> RunsQuery:
        return read_query(request.query_params.multi_items(), self._parts.clock.now(), others=others)

    async def _found(self, query: RunsQuery, limit: int) -> tuple[RunSummary, ...]:
        return await self._parts.history.runs(replace(query.wanted, limit=limit))

    async def _refused(self, status: int, message: str) -> Response:
        return await self._show("missing.html", status=status, heading=_HEADINGS[status], message=message)


def runs_view(query: RunsQuery, found: Sequence[RunSummary], titles: Mapping[str, str]) -> RunsView:
    """Arrange a list of at most ``ROWS`` runs; one more in ``found`` says that there are older ones."""
    lines = tuple(_line(run, titles) for run in found[:ROWS])
    older = address([*query.given, _go_on(found[ROWS - 1])]) if len(found) > ROWS else ""
    moving = not query.cursor and not any(not value.startswith("now") for value in query.values("to"))
    return RunsView(
        lines=lines,
        outcomes=_choices(query, "outcome", [(each.value, WORDS[State(each.value)]) for each in Outcome]),
        causes=_choices(query, "cause", [(each.value, words.cause_word(each)) for each in Cause]),
        spans=_spans(query),
        narrowed=tuple(
            Narrowing(name=name, value=value, href=query.without(name, value))
            for name, value in query.given
            if name not in {"outcome", "cause"}
        ),
        newest=address(query.given) if query.cursor else "",
        older=older,
        refresh=30 if moving else 0,
    )


def _sentence(what: str, error: Exception) -> str:
    text = f"{what}: {error}"
    return text if text.endswith("?") else f"{text}."


def _line(run: RunSummary, titles: Mapping[str, str]) -> RunLine:
    return RunLine(
        run=run,
        title=titles.get(run.journey, run.journey),
        word=WORDS[State(run.outcome.value)],
        check_href=address([("journey", run.journey), ("target", run.target), ("profile", run.profile)]),
    )


def _choices(query: RunsQuery, name: str, offered: Sequence[tuple[str, str]]) -> tuple[Choice, ...]:
    chosen = query.values(name)
    every = Choice(word="all", href=query.without(name), chosen=not chosen)
    return (
        every,
        *(Choice(word=word, href=query.only(name, value), chosen=value in chosen) for value, word in offered),
    )


def _spans(query: RunsQuery) -> tuple[Choice, ...]:
    given = (*query.values("from"), *query.values("to"))
    rest = [(name, value) for name, value in query.given if name not in {"from", "to"}]
    return tuple(
        Choice(
            word=word,
            href=address([*rest, ("from", value)] if value else rest),
            chosen=given == ((value,) if value else ()),
        )
        for value, word in _SPANS
    )


def _go_on(last: RunSummary) -> tuple[str, str]:
    return CURSOR, cursor_after(last.scheduled_at, last.check)


def _as_data(run: RunSummary) -> dict[str, object]:
    verdict = run.verdict
    return {
        "run_id": run.run_id,
        "check": run.check,
        "journey": run.journey,
        "target": run.target,
        "profile": run.profile,
        "location": run.location,
        "scheduled_at": run.scheduled_at.isoformat(),
        "outcome": run.outcome.value,
        "duration_seconds": run.duration,
        "cause": verdict.cause.value if verdict else None,
        "detail": verdict.detail.value if verdict else None,
        "culprit": verdict.culprit.name if verdict and verdict.culprit else None,
        "because": verdict.because if verdict else None,
    }
