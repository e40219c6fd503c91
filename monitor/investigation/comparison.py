"""In what a run differs from the last good one. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from monitor.diagnosis.mechanisms import is_defect, is_hollow
from monitor.domain.evidence import Attempt, Comparison, Evidence
from monitor.domain.exchange import Exchange
from monitor.domain.failure import Failure
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Answer, Difference, DifferenceKind, Reference

Asked = TypeVar("Asked", Answer, Exchange)

MOST_DIFFERENCES = 200
HEADERS = (
    "content-security-policy",
    "access-control-allow-origin",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "x-frame-options",
    "content-type",
)
# Of an HTTP journey nobody reads the headers that set a page's policy.
HTTP_HEADERS = ("content-type", "location")
# An answer that changes all the time differs where little of it is left.
_FRACTION = 0.3
_CODE = frozenset({"script", "stylesheet"})
_PAGES = frozenset({"document", "http"})
_DATA = frozenset({"xhr", "fetch"})
_NAMED = 3
_GOOD = frozenset({StepOutcome.PASSED, StepOutcome.DEGRADED})
_FIRST = (DifferenceKind.STATUS, DifferenceKind.CONTENT, DifferenceKind.HEADER, DifferenceKind.MISSING)


def compare(evidence: Evidence, reference: Reference, now: dt.datetime) -> Comparison:
    """Return the differences of the deciding attempt from the last good run, those that matter most first.

    What was asked only in steps that this run did not reach is not missed.
    """
    attempt = evidence.last
    answers = _seen_best(reference.answers, _of_answer)
    made = [x for x in evidence.exchanges if x.attempt == attempt.number and not x.intervention]
    exchanges = _seen_best(made, _of_exchange)
    missed = _Missed(attempt)
    seen = {key: x for key, x in exchanges.items() if key not in answers or not _was_left(x, made)}
    found = [
        *_elsewhere(tuple(exchanges.items()), answers),
        *(each for key, exchange in seen.items() for each in _against(exchange, answers.get(key))),
        *(_missing(answer) for key, answer in answers.items() if key not in exchanges and missed.by(answer)),
    ]
    found.sort(key=_weight)
    age = (now - reference.taken_at).total_seconds()
    return Comparison(
        run_id=reference.run_id,
        age=round(max(0.0, age), 3),
        differences=tuple(found[:MOST_DIFFERENCES]),
        failed_alike=tuple(_failed_alike(evidence, reference))[:MOST_DIFFERENCES],
        thrown=reference.thrown,
        sockets=reference.sockets,
    )


def _seen_best(asked: Iterable[Asked], seen: Callable[[Asked], _Sight]) -> dict[tuple[str, str], Asked]:
    """Return for each method and URL the first that ended, or of those that ended alike the first whose body was read.

    What a page asked for that the customer left, or still asks for, says nothing of what is sent.
    """
    found: dict[tuple[str, str], Asked] = {}
    for each in asked:
        key = each.method, each.url
        known, now = seen(found.setdefault(key, each)), seen(each)
        if (now.ended and not known.ended) or (now.status == known.status and now.is_read and not known.is_read):
            found[key] = each
    return found


@dataclass(frozen=True, slots=True)
class _Sight:
    """How much was seen of an exchange."""

    ended: bool
    status: int | None
    is_read: bool


def _of_exchange(exchange: Exchange) -> _Sight:
    answered = exchange.failure is not Failure.ABANDONED or exchange.status is not None
    ended = answered and not exchange.pending and not exchange.truncated
    return _Sight(ended, exchange.status, is_read=exchange.body_sha256 is not None)


def _of_answer(answer: Answer) -> _Sight:
    ended = answer.status is not None or answer.failure not in (Failure.ABANDONED, Failure.PENDING)
    return _Sight(ended, answer.status, is_read=bool(answer.sha256))


def _was_left(exchange: Exchange, exchanges: Iterable[Exchange]) -> bool:
    """Say whether an exchange was given up because the browser went to another page, which says nothing of it."""
    if exchange.failure is not Failure.ABANDONED or exchange.status is not None:
        return False
    end = exchange.timings.started + exchange.timings.total
    pages = (x for x in exchanges if x.resource == "document" and x.failure is None and not x.pending)
    return any(exchange.timings.started < page.timings.started <= end for page in pages)


def _failed_alike(evidence: Evidence, reference: Reference) -> Iterator[str]:
    """Yield the ids of failed exchanges that ended in the same way whenever the good run saw how they end."""
    # An answer that the browser keeps from the page has a status too, so that the status alone tells nothing.
    ends: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for answer in reference.answers:
        # What stayed open in the good run did so until its end; what a page gave up might have ended in any way.
        if answer.status is not None or answer.failure != Failure.ABANDONED:
            ends.setdefault((answer.method, answer.url), set()).add((_end(answer), answer.failure))
    for exchange in evidence.exchanges:
        failure = exchange.failure.value if exchange.failure else ""
        alike = ends.get((exchange.method, exchange.url)) == {(_state(exchange), failure)}
        if alike and is_defect(exchange) and exchange.attempt == evidence.last.number:
            yield exchange.id


def _against(exchange: Exchange, answer: Answer | None) -> Iterator[Difference]:
    if answer is None:
        yield _difference(exchange, DifferenceKind.NEW, after=_state(exchange))
        return
    if not _of_answer(answer).ended:
        return
    before, after = _end(answer), _state(exchange)
    if before != after:
        yield _difference(exchange, DifferenceKind.STATUS, before=before, after=after)
    elif _has_other_content(exchange, answer):
        yield _difference(
            exchange,
            DifferenceKind.CONTENT,
            before=f"{_text(answer.size)}:{answer.sha256}",
            after=f"{_text(exchange.body_bytes or 0)}:{exchange.body_sha256 or ''}",
        )
    if exchange.status is not None and not exchange.from_cache:
        yield from _headers(exchange, answer)


def _has_other_content(exchange: Exchange, answer: Answer) -> bool:
    if not answer.sha256:
        left = exchange.body_bytes or 0
        return exchange.resource == "http" and not exchange.truncated and left < _FRACTION * (answer.size or 0)
    # Of a body that is empty no browser hands out a hash.
    return is_hollow(exchange) or (exchange.body_sha256 is not None and answer.sha256 != exchange.body_sha256)


def _headers(exchange: Exchange, answer: Answer) -> Iterator[Difference]:
    before, after = dict(answer.headers), dict(exchange.headers)
    if exchange.resource == "http" and "location" in after:
        after["location"] = _without_query(after["location"])
    for name in HTTP_HEADERS if exchange.resource == "http" else HEADERS:
        if before.get(name, "") != after.get(name, ""):
            yield _difference(
                exchange,
                DifferenceKind.HEADER,
                before=before.get(name, ""),
                after=after.get(name, ""),
                header=name,
            )


def _elsewhere(
    exchanges: tuple[tuple[tuple[str, str], Exchange], ...], answers: Mapping[tuple[str, str], Answer]
) -> Iterator[Difference]:
    """Yield for each host of an HTTP journey that it was found at another address, or showed another certificate."""
    told: set[tuple[str, DifferenceKind]] = set()
    for key, exchange in exchanges:
        answer = answers.get(key)
        if answer is None or exchange.resource != "http":
            continue
        issuer = exchange.tls.chain[0].issuer if exchange.tls is not None and exchange.tls.chain else ""
        moved = bool(exchange.address and answer.addresses) and exchange.address not in answer.addresses
        for kind, differs, before, after in (
            (DifferenceKind.ADDRESS, moved, ", ".join(answer.addresses[:_NAMED]), exchange.address or ""),
            (DifferenceKind.ISSUER, bool(issuer and answer.issuer) and issuer != answer.issuer, answer.issuer, issuer),
        ):
            if differs and (exchange.host, kind) not in told:
                told.add((exchange.host, kind))
                yield _difference(exchange, kind, before=before, after=after)


class _Missed:
    """Tells what was not asked for, though it was time, from what would have been asked for only later."""

    def __init__(self, attempt: Attempt) -> None:
        self._passed = {step.name for step in attempt.steps if step.outcome in _GOOD} | {""}
        self._begun = {step.name for step in attempt.steps if step.outcome is not StepOutcome.NOT_REACHED}

    def by(self, answer: Answer) -> bool:
        """Say whether an answer is missed; in the step that failed only code is, which comes with the page."""
        return answer.step in self._passed or (answer.step in self._begun and answer.resource in _CODE)


def _missing(answer: Answer) -> Difference:
    return Difference(
        kind=DifferenceKind.MISSING,
        url=answer.url,
        host=answer.host,
        resource=answer.resource,
        before=_text(answer.status),
    )


def _difference(
    exchange: Exchange, kind: DifferenceKind, *, before: str = "", after: str = "", header: str = ""
) -> Difference:
    return Difference(
        kind=kind,
        url=exchange.url,
        host=exchange.host,
        resource=exchange.resource,
        exchange=exchange.id,
        before=before,
        after=after,
        header=header,
    )


def _state(exchange: Exchange) -> str:
    """Return the status, or how it ended without one."""
    if exchange.status is not None:
        return str(exchange.status)
    return exchange.failure.value if exchange.failure else "pending" if exchange.pending else ""


def _end(answer: Answer) -> str:
    return _text(answer.status) or answer.failure


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _weight(difference: Difference) -> tuple[int, int, str]:
    kind = _FIRST.index(difference.kind) if difference.kind in _FIRST else len(_FIRST)
    for rank, resources in enumerate((_CODE, _PAGES, _DATA)):
        if difference.resource in resources:
            return rank, kind, difference.url
    return len(_FIRST), kind, difference.url
