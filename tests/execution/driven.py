"""A probe whose every answer a test decides: for the order and the timing of what execution asks of it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from monitor.domain.evidence import StepError, StepErrorKind
from monitor.domain.journey import Journey, ProbeKind, Step
from monitor.probes.session import ExpectationFailed, Observations
from tests.builders import a_check, an_assignment


@dataclass
class DrivenSession:
    told: list[str]
    handle: object = "handle"
    seen: Observations = field(default_factory=Observations)
    explains: Callable[[BaseException], StepError] | None = None
    hangs_at_the_end: bool = False

    def begin_step(self, name: str) -> None:
        self.told.append(f"begin {name}")

    def explain(self, error: BaseException) -> StepError:
        if self.explains is not None:
            return self.explains(error)
        match error:
            case ExpectationFailed():
                return StepError(kind=StepErrorKind.EXPECTATION, message=str(error))
            case TimeoutError():
                return StepError(kind=StepErrorKind.TIMEOUT, message=str(error), awaited="the page")
            case _:
                return StepError(kind=StepErrorKind.SCRIPT, message=f"{type(error).__name__}: {error}")

    async def complete(self, error: StepError) -> StepError:
        return error

    async def keep_failure(self, step: str, *, sensitive: bool) -> None:
        self.told.append(f"keep {step}{' (sensitive)' if sensitive else ''}")

    async def finish(self, *, failed: bool) -> Observations:
        self.told.append(f"finish {'failed' if failed else 'passed'}")
        if self.hangs_at_the_end:
            await asyncio.sleep(3600)
        return self.seen


@dataclass
class DrivenProbe:
    kind: ProbeKind = ProbeKind.BROWSER
    engine: str = "driven 1.0"
    told: list[str] = field(default_factory=list)
    alive_answers: list[bool] = field(default_factory=list)
    opening_faults: list[Exception | None] = field(default_factory=list)
    opens: Callable[[], Awaitable[None]] | None = None
    session: Callable[[list[str]], DrivenSession] = DrivenSession

    async def open(self, assignment, attempt, *, started):
        self.told.append(f"open {attempt}")
        if self.opens is not None:
            await self.opens()
        if self.opening_faults and (fault := self.opening_faults.pop(0)) is not None:
            raise fault
        return self.session(self.told)

    async def alive(self) -> bool:
        self.told.append("ping")
        return self.alive_answers.pop(0) if self.alive_answers else True

    async def close(self) -> None:
        self.told.append("close")


def a_step(act, **values) -> Step:
    name = values.pop("name", act.__name__.replace("_", "-"))
    return Step(**{"name": name, "title": name, "act": act, **values})


def a_journey(*steps: Step, **values) -> Journey:
    return Journey(**{"name": "j", "title": "J", "steps": steps, "probe": ProbeKind.BROWSER, **values})


def a_task(seconds: float = 30, attempts: int = 1, **check):
    check = a_check(deadline=dt.timedelta(seconds=seconds), **check)
    return an_assignment(check=check, attempt_limit=attempts)
