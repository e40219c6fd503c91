"""The verdicts on a run, and the way for a person to add one while the monitor runs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from monitor.domain.run import Judgement
from monitor.history.corrections import Say, Saying, take
from monitor.history.values import HistoryError, PastVerdict
from monitor.web.body import json_body
from monitor.web.monitor import Monitor
from monitor.web.today import Today

_MOST_BYTES = 65_536
_FIELDS = ("meant", "culprit", "reason", "author")


class Verdicts:
    """Routes about the verdicts on a run."""

    def __init__(self, parts: Monitor, today: Today) -> None:
        """Serve the runs of one monitor, judged again by the rules of ``today``."""
        self._parts = parts
        self._today = today

    async def listed(self, request: Request) -> Response:
        """Return every verdict on a run, the first one first."""
        kept = await self._parts.history.verdicts(request.path_params["run_id"])
        if not kept:
            return JSONResponse({"error": "no such run"}, 404)
        return JSONResponse({"verdicts": [as_json(verdict) for verdict in kept]})

    async def add(self, request: Request) -> Response:
        """Add a verdict: a person's word that the one in force is right or what would be, or today's rules' own."""
        body = await json_body(request, _MOST_BYTES)
        if body is None:
            return JSONResponse({"error": f"the body must be a JSON object of at most {_MOST_BYTES} bytes"}, 400)
        try:
            saying = _saying(request.path_params["run_id"], body)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        if await self._parts.history.run(saying.run_id) is None:
            return JSONResponse({"error": f"no run has the id '{saying.run_id}'"}, 404)
        try:
            said = await take(
                self._parts.history, saying, at=self._parts.clock.now(), rejudge=(await self._today.rejudging()).judge
            )
        except HistoryError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"in_force": said.in_force, "verdict": judgement_json(said.judgement)}, 201)


def as_json(verdict: PastVerdict) -> dict[str, Any]:
    """Return one verdict as plain data."""
    return {
        "at": verdict.at.isoformat(),
        "source": verdict.source.value,
        "author": verdict.author,
        "reason": verdict.reason,
        "in_force": verdict.current,
        **judgement_json(verdict.judgement),
    }


def judgement_json(judgement: Judgement) -> dict[str, Any]:
    """Return the short form of a judgement as plain data."""
    diagnosis = judgement.diagnosis
    return {
        "outcome": judgement.outcome.value,
        "validity": judgement.validity.value,
        "cause": diagnosis.cause.value if diagnosis else None,
        "detail": diagnosis.detail.value if diagnosis else None,
        "confidence": diagnosis.confidence.value if diagnosis else None,
        "rule": diagnosis.rule if diagnosis else None,
        "ruleset": diagnosis.ruleset if diagnosis else None,
        "culprit": diagnosis.culprit.name if diagnosis and diagnosis.culprit else None,
        "because": diagnosis.because if diagnosis else None,
    }


def _saying(run_id: str, body: dict[str, Any]) -> Saying:
    say = body.get("say")
    if say not in set(Say):
        msg = f"'say' must be one of: {', '.join(Say)}"
        raise ValueError(msg)
    words = {}
    for name in _FIELDS:
        value = body.get(name, "")
        if not isinstance(value, str):
            msg = f"'{name}' must be a text"
            raise ValueError(msg)  # noqa: TRY004 - what is wrong is the value of a field of ours
        words[name] = value
    return Saying(run_id=run_id, say=Say(say), **words)
