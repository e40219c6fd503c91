"""How a journey is written in Python: steps are coroutines, a journey is a tuple of them."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from monitor.domain import journey as domain
from monitor.domain.journey import ProbeKind, Step
from monitor.reading.quantities import parse_duration

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 60
_BY_POSITION = frozenset({inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD})
_HANDLES = {"Browser": ProbeKind.BROWSER, "Http": ProbeKind.HTTP}


class JourneyError(Exception):
    """A journey is not written as it must be; the message says where and what to do."""

    def __init__(self, message: str, act: object = None) -> None:
        """Keep the line of the function at fault beside the message."""
        super().__init__(message)
        code = getattr(act, "__code__", None)
        self.line: int | None = code.co_firstlineno if code is not None else None


def step(
    title: str,
    *,
    name: str | None = None,
    capability: str | None = None,
    budget: str | dt.timedelta | None = None,
    effects: bool = False,
    sensitive: bool = False,
) -> Callable[[Callable[..., Awaitable[Any]]], Step]:
    """Make a step of a coroutine function, whose name in kebab-case becomes the step's.

    The function takes a ``Browser`` or an ``Http`` first, and then, by keyword only, whatever it needs of what earlier
    steps returned and of the journey's parameters, each under its own name.
    """

    def decorate(act: Callable[..., Awaitable[Any]]) -> Step:
        if not inspect.iscoroutinefunction(act):
            msg = f"step '{_called(act)}' must be a coroutine function; write 'async def'"
            raise JourneyError(msg, act)
        return Step(
            name=name if name is not None else act.__name__.strip("_").replace("_", "-"),
            title=title,
            act=act,
            capability=capability,
            budget=_duration(budget, act),
            effects=effects,
            sensitive=sensitive,
        )

    return decorate


class Journey(domain.Journey):
    """What a customer comes to do, as written in a module of ``checks/``.

    The technique is read from what the steps take first. ``parameters`` names the values and secrets that a check must
    give; a step asks for one by a keyword-only parameter of that name.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        name: str,
        title: str,
        steps: Sequence[Step],
        description: str = "",
        budget: str | dt.timedelta | None = None,
        parameters: Sequence[str] = (),
    ) -> None:
        """Check what is written. Raises JourneyError, with file and line, at the first thing that cannot be."""
        _check_steps(name, steps)
        _check_parameters(name, steps, parameters)
        super().__init__(
            name=name,
            title=title,
            steps=tuple(steps),
            probe=_probe(name, steps),
            description=description,
            budget=_duration(budget, steps[0].act),
            parameters=tuple(parameters),
        )


def _check_steps(journey: str, steps: Sequence[object]) -> None:
    _check_name("journey", journey)
    if isinstance(steps, Step) or not steps:
        msg = f"journey '{journey}' has no steps; write steps=(first, second), with a comma also behind a single one"
        raise JourneyError(msg)
    seen: set[str] = set()
    for position, one in enumerate(steps, start=1):
        if not isinstance(one, Step):
            msg = f"entry {position} in the steps of journey '{journey}' is not a step; decorate it with @step(…)"
            raise JourneyError(msg, one)
        _check_name("step", one.name, one.act)
        if one.name in seen:
            msg = f"journey '{journey}' has two steps named '{one.name}'; give one of them name=…"
            raise JourneyError(msg, one.act)
        seen.add(one.name)


def _check_parameters(journey: str, steps: Sequence[Step], parameters: Sequence[str]) -> None:
    if isinstance(parameters, str):
        msg = f"the parameters of journey '{journey}' must be a tuple: parameters=({parameters!r},)"
        raise JourneyError(msg)
    names = {one.name.replace("-", "_") for one in steps}
    for parameter in parameters:
        if not parameter.isidentifier() or parameter in names:
            msg = f"'{parameter}' cannot be a parameter of journey '{journey}'; choose an identifier that no step has"
            raise JourneyError(msg)
    known = set(parameters)
    for one in steps:
        for wanted in _wanted(one):
            if wanted.name not in known and wanted.default is inspect.Parameter.empty:
                raise JourneyError(_unknown(one, wanted.name, names, known), one.act)
        known.add(one.name.replace("-", "_"))


def _wanted(one: Step) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(one.act).parameters.values())
    if not parameters or parameters[0].kind not in _BY_POSITION:
        msg = f"step '{one.name}' must take the session first; write 'browser: Browser' or 'http: Http'"
        raise JourneyError(msg, one.act)
    for other in parameters[1:]:
        if other.kind in _BY_POSITION or other.kind is inspect.Parameter.VAR_POSITIONAL:
            msg = f"step '{one.name}' takes '{other.name}' by position; put '*,' before what earlier steps returned"
            raise JourneyError(msg, one.act)
    return [other for other in parameters if other.kind is inspect.Parameter.KEYWORD_ONLY]


def _unknown(one: Step, wanted: str, names: set[str], known: set[str]) -> str:
    if wanted in names:
        return f"step '{one.name}' asks for '{wanted}', which is not an earlier step; change the order of the steps"
    found = ", ".join(sorted(known)) or "none"
    return f"step '{one.name}' asks for '{wanted}', which is no earlier step and no parameter; known here: {found}"


def _probe(journey: str, steps: Sequence[Step]) -> ProbeKind:
    kinds = {one.name: _kind(one) for one in steps}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"'{name}' takes {kind.value}" for name, kind in kinds.items())
        msg = f"all steps of journey '{journey}' must take the same kind of session: {told}"
        raise JourneyError(msg, steps[0].act)
    return next(iter(kinds.values()))


def _kind(one: Step) -> ProbeKind:
    parameter = next(iter(inspect.signature(one.act).parameters.values()))
    annotation = parameter.annotation
    # Read as text and not evaluated: what an annotation names may be imported for the type checker alone.
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    kind = _HANDLES.get(text.strip("'\"").rpartition(".")[2])
    if kind is None:
        msg = f"step '{one.name}' does not say what it takes; annotate '{parameter.name}' as Browser or Http"
        raise JourneyError(msg, one.act)
    return kind


def _check_name(what: str, name: str, act: object = None) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        msg = f"{what} name '{name}' must be kebab-case of at most {_LONGEST_NAME} characters, such as 'add-to-basket'"
        raise JourneyError(msg, act)


def _duration(budget: str | dt.timedelta | None, act: object) -> dt.timedelta | None:
    if budget is None or isinstance(budget, dt.timedelta):
        return budget
    try:
        return parse_duration(budget)
    except ValueError as error:
        msg = f"budget of '{_called(act)}': {error}"
        raise JourneyError(msg, act) from None


def _called(act: object) -> str:
    return getattr(act, "__name__", "a step")
