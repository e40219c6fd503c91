"""From a run that passed to what is kept of its answers: hashes of all, how they were come by, and no secret."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path

from monitor.diagnosis.as_ever import has_failed, key_of, place_of
from monitor.domain.evidence import Evidence
from monitor.domain.exchange import Exchange
from monitor.domain.reference import Answer, Reference
from monitor.domain.run import Run

_log = logging.getLogger(__name__)

_MOST_ANSWERS = 2_000
_MOST_TROUBLES = 50
_CODE = frozenset({"script", "stylesheet"})
_KEPT_HEADERS = frozenset({"access-control-allow-origin", "content-security-policy", "content-type", "x-frame-options"})
_KEPT_PREFIX = "cross-origin-"


def exchanges_of(evidence: Evidence) -> tuple[Exchange, ...]:
    """Return the exchanges of the deciding attempt on which no experiment laid a hand."""
    number = evidence.last.number
    return tuple(x for x in evidence.exchanges if x.attempt == number and not x.intervention)[:_MOST_ANSWERS]


def digest_of(evidence: Evidence) -> str:
    """Return one digest of all code that was loaded; what changes with each run is no code."""
    code = sorted((x.url, x.body_sha256 or "") for x in exchanges_of(evidence) if x.resource in _CODE)
    return hashlib.sha256(repr(code).encode()).hexdigest()


def reference_of(run: Run, archive: Path | None) -> Reference:
    """Return a good run as it is kept; ``archive`` is the folder of the bodies that can be replayed."""
    archived = _archived(archive) if archive is not None else frozenset()
    seconds: dict[str, float] = {}
    for script in run.evidence.scripts:
        seconds[script.url] = seconds.get(script.url, 0.0) + script.seconds
    return Reference(
        run_id=run.run_id,
        taken_at=run.started_at,
        answers=tuple(_answer(x, archived) for x in exchanges_of(run.evidence)),
        archive=str(archive) if archive is not None else "",
        scripts=tuple(seconds.items()),
        thrown=tuple(dict.fromkeys(key_of(each) for each in run.evidence.page_errors))[:_MOST_TROUBLES],
        sockets=tuple(dict.fromkeys(place_of(each) for each in run.evidence.websockets if has_failed(each)))[
            :_MOST_TROUBLES
        ],
    )


def _answer(exchange: Exchange, archived: frozenset[tuple[str, str]]) -> Answer:
    kept = ((name, value) for name, value in exchange.headers if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIX))
    answer = Answer(
        url=exchange.url,
        host=exchange.host,
        step=exchange.step,
        method=exchange.method,
        resource=exchange.resource,
        status=exchange.status,
        mime_type=exchange.mime_type,
        sha256=exchange.body_sha256,
        size=exchange.body_bytes,
        headers=tuple(kept),
        replayable=(exchange.method, exchange.url.partition("#")[0]) in archived,
        initiator=exchange.initiator.url if exchange.initiator else "",
        failure="" if exchange.failure is None else exchange.failure.value,
    )
    return answer if exchange.resource != "http" else _way_of(exchange, answer)


def _way_of(exchange: Exchange, answer: Answer) -> Answer:
    """Return an answer with how it was come by: where the host was found, what it showed, where it led."""
    location = next((value for name, value in exchange.headers if name == "location"), "")
    headers = answer.headers
    if location:
        # What a redirect carries along may be good for one time, and for one customer.
        headers = (*headers, ("location", location.partition("?")[0].partition("#")[0]))
    named = exchange.dns.addresses if exchange.dns is not None else ()
    first = (exchange.address,) if exchange.address is not None else ()
    tls = exchange.tls
    return replace(
        answer,
        headers=headers,
        addresses=tuple(dict.fromkeys((*first, *named))),
        issuer=tls.chain[0].issuer if tls is not None and tls.chain else "",
    )


def _archived(archive: Path) -> frozenset[tuple[str, str]]:
    try:
        answers = json.loads((archive / "index.json").read_bytes())["answers"]
        return frozenset((str(answer["method"]), str(answer["url"])) for answer in answers)
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("an archive cannot be read", extra={"error": str(error)})
        return frozenset()
