"""HTTP journeys written in YAML: requests, what is expected of each, and what is taken from one for the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.domain.journey import Journey, ProbeKind, Step
from monitor.journeys.declared import DeclaredJourney, DeclaredStep
from monitor.journeys.requests import HttpStep
from monitor.journeys.templates import references
from monitor.reading.document import Document
from monitor.reading.problem import Problem, ReadingError, quoted
from monitor.reading.reader import Limits, read
from monitor.reading.suggestion import did_you_mean
from monitor.reading.validation import examine

_LIMITS = Limits(size=1_000_000, depth=30, values=20_000)
_NOT_KNOWN = "; name a parameter, take it in an earlier step, or write $${ for the characters themselves"
_SYNONYMS = {
    "vars": "parameters",
    "variables": "parameters",
    "requests": "steps",
    "assert": "expect",
    "assertions": "expect",
    "extract": "take",
    "capture": "take",
    "data": "body",
    "params": "query",
    "contains": "text",
    "regex": "matches",
    "retry": "until",
    "timeout": "within",
    "path": "url",
}


def read_journey(path: Path) -> Journey:
    """Return the journey that a YAML file describes. Raises ReadingError with everything that is wrong with it."""
    document = read(path, _LIMITS)
    declared, problems = examine(document, DeclaredJourney, _SYNONYMS)
    if declared is not None:
        problems += _inconsistencies(document, declared)
    if problems or declared is None:
        raise ReadingError(problems)
    return Journey(
        name=declared.name,
        title=declared.title,
        steps=tuple(_step(one) for one in declared.steps),
        probe=ProbeKind.HTTP,
        description=declared.description,
        budget=declared.budget,
        declarative=True,
        parameters=tuple(declared.parameters),
    )


def _step(declared: DeclaredStep) -> Step:
    return Step(
        name=declared.step_name,
        title=declared.title,
        act=HttpStep(declared),
        capability=declared.capability,
        budget=declared.budget,
        effects=declared.effects,
    )


def _inconsistencies(document: Document, journey: DeclaredJourney) -> Iterator[Problem]:
    known = set(journey.parameters)
    steps: dict[str, int] = {}
    webhooks: set[str] = set()
    for index, step in enumerate(journey.steps):
        at = ("steps", index)
        name = step.step_name
        if name in steps:
            message = f"step {steps[name] + 1} is named '{name}' as well; give one of them another 'name'"
            yield document.problem(at, message)
        if name.replace("-", "_") in journey.parameters:
            yield document.problem(at, f"step '{name}' and a parameter have one name; change one of them")
        steps[name] = index
        if step.webhook is not None:
            if step.webhook in known:
                yield document.problem(
                    (*at, "webhook"), f"there is a value '{step.webhook}' already; choose another name"
                )
            known.add(step.webhook)
            webhooks.add(step.webhook)
        if step.receive is not None and step.receive.webhook not in webhooks:
            message = (
                f"no earlier step opens a webhook {quoted(step.receive.webhook)}; add 'webhook: {step.receive.webhook}'"
            )
            yield document.problem((*at, "receive", "webhook"), message)
        for part in ("request", "expect"):
            yield from _unknown(document, (*at, part), known)
        for taken in step.take:
            if taken in known:
                message = f"there is a value '{taken}' already; choose another name"
                yield document.problem((*at, "take", taken), message, at_key=True)
        known.update(step.take)


def _unknown(document: Document, path: tuple[str | int, ...], known: set[str]) -> Iterator[Problem]:
    value: object = document.data
    for key in path:
        match value, key:
            case dict(), str():
                value = value.get(key)
            case list(), int():
                value = value[key]
    yield from _unknown_in(document, path, value, known)


def _unknown_in(document: Document, path: tuple[str | int, ...], value: object, known: set[str]) -> Iterator[Problem]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _unknown_in(document, (*path, key), inner, known)
        case list():
            for index, inner in enumerate(value):
                yield from _unknown_in(document, (*path, index), inner, known)
        case str():
            for name in references(value):
                if name not in known:
                    message = f"'${{{name}}}' is not known here{did_you_mean(name, known) or _NOT_KNOWN}"
                    yield document.problem(path, message)
