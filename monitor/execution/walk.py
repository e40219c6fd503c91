"""The walk through the steps of a journey, up to the first that does not succeed."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.domain.evidence import ProberFault, StepError, StepErrorKind, StepResult
from monitor.domain.journey import Journey, Step
from monitor.domain.outcome import StepOutcome
from monitor.domain.secret import Redactor
from monitor.execution.allowance import Allowance
from monitor.execution.containment import Overdue, Raised, Returned, contain, limit, settle
from monitor.execution.progress import Progress, seconds
from monitor.probes.session import ProberError, Session

_JOURNEY_MODULES = frozenset({"checks", "pages"})
_GOOD = (StepOutcome.PASSED, StepOutcome.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was wrong with ourselves."""

    kind: ProberFault
    text: str


class Walk:
    """Performs the steps of one attempt in a session and remembers how each went."""

    def __init__(
        self,
        journey: Journey,
        session: Session,
        attempt: int,
        *,
        allowance: Allowance,
        redactor: Redactor,
        report: Callable[[Progress], None],
        until: str = "",
    ) -> None:
        """Prepare to walk, as far as the step ``until``; nothing is touched before :meth:`go`."""
        self.results: list[StepResult] = []
        self.fault: Fault | None = None
        self.failed_step: Step | None = None
        self.effects_begun = False
        self._journey = journey
        self._session = session
        self._attempt = attempt
        self._allowance = allowance
        self._redactor = redactor
        self._report = report
        self._until = until
        self._under_way = journey.steps[0], allowance.now()

    @property
    def good(self) -> bool:
        """Say whether every step that was begun has succeeded."""
        return self.failed_step is None

    @property
    def started(self) -> float:
        """Return when the first step began."""
        return self.results[0].started if self.results else 0.0

    @property
    def duration(self) -> float:
        """Return the seconds from the start of the first step to the end of the last."""
        return self.results[-1].started + self.results[-1].duration - self.started if self.results else 0.0

    async def go(self, values: Mapping[str, object]) -> None:
        """Perform one step after the other, handing each what it asks for by name, until one does not succeed."""
        if not self._journey.declarative:
            await self._walk(dict(values))
            return
        # Such steps are code of our own and heed their cancellation: one timer does for all of them.
        ended = await limit(lambda: self._walk(dict(values)), seconds=self._allowance.left_for_steps())
        match ended:
            case Overdue():
                step, started = self._under_way
                duration = self._allowance.now() - started
                self._keep(step, self._result(step, started, duration, self._overdue(step, stuck=False)))
            case Raised(error=error):
                raise error
            case Returned():
                pass

    def doubt(self, fault: Fault) -> None:
        """Take back what the last step said: we could not have looked."""
        if self.fault is not None and self.fault.kind not in {ProberFault.SCRIPT, ProberFault.INTERNAL}:
            return
        self.fault = fault
        self.results[-1] = replace(
            self.results[-1],
            outcome=StepOutcome.INCONCLUSIVE,
            error=StepError(
                kind=StepErrorKind.PROBER,
                message=fault.text,
                detail=self.results[-1].error.message if self.results[-1].error else "",
            ),
        )

    def complete(self, error: StepError) -> None:
        """Say more of why the last step did not succeed."""
        self.results[-1] = replace(self.results[-1], error=error)

    async def _walk(self, known: dict[str, object]) -> None:
        for step in self._journey.steps:
            started = self._allowance.now()
            self._under_way = step, started
            if started >= self._allowance.for_steps:
                result = self._result(step, started, 0.0, self._overdue(step, stuck=False))
            else:
                result = await self._perform(step, started, known)
            self._keep(step, result)
            if self.failed_step is not None or step.name == self._until:
                return

    async def _perform(self, step: Step, started: float, known: dict[str, object]) -> StepResult:
        self._report(Progress(attempt=self._attempt, step=step.name, started=started))
        self.effects_begun = self.effects_begun or step.effects
        ended = await self._bounded(step, known)
        duration = self._allowance.now() - started
        error: StepError | None
        match ended:
            case Returned(value=value):
                known[step.name.replace("-", "_")] = value
                error = None
            case Raised(error=raised):
                error = self._explain(raised)
            case Overdue(stuck=stuck):
                error = self._overdue(step, stuck=stuck)
        return self._result(step, started, duration, error)

    async def _bounded(self, step: Step, known: Mapping[str, object]) -> Returned[object] | Raised | Overdue:
        if self._journey.declarative:
            return await settle(lambda: self._act(step, known))
        grace = min(0.5, self._allowance.left() / 4)
        left = self._allowance.left_for_steps()
        return await contain(lambda: self._act(step, known), seconds=left, grace=grace)

    def _keep(self, step: Step, result: StepResult) -> None:
        self.results.append(result)
        self._report(Progress(attempt=self._attempt, step=step.name, started=result.started, result=result))
        if result.outcome not in _GOOD:
            self.failed_step = step

    async def _act(self, step: Step, known: Mapping[str, object]) -> object:
        self._session.begin_step(step.name)
        return await step.act(self._session.handle, **_asked_for(step, known))

    def _result(self, step: Step, started: float, duration: float, error: StepError | None) -> StepResult:
        over = step.budget is not None and duration > step.budget.total_seconds()
        if error is None:
            outcome = StepOutcome.DEGRADED if over else StepOutcome.PASSED
        else:
            outcome = StepOutcome.FAILED if self.fault is None else StepOutcome.INCONCLUSIVE
        return StepResult(
            name=step.name,
            title=step.title,
            outcome=outcome,
            started=started,
            duration=duration,
            capability=step.capability,
            budget=seconds(step.budget),
            effects=step.effects,
            error=error,
        )

    def _explain(self, error: BaseException) -> StepError:
        match error:
            case ProberError():
                return self._blame_ourselves(error.fault, str(error))
            case MemoryError():
                return self._blame_ourselves(ProberFault.OUT_OF_MEMORY, "the worker has no memory left")
            case SystemExit() | KeyboardInterrupt() | GeneratorExit() | asyncio.CancelledError():
                name = type(error).__name__
                text = f"journey code raised {name}{_place(error)}; a step ends by returning or by an expectation"
                return self._blame_ourselves(ProberFault.SCRIPT, text, StepErrorKind.SCRIPT)
            case _:
                return self._ask_session(error)

    def _ask_session(self, error: BaseException) -> StepError:
        try:
            explained = self._masked(self._session.explain(error))
        except ProberError as fault:
            return self._blame_ourselves(fault.fault, str(fault))
        except Exception as fault:  # noqa: BLE001 - a defect of ours must not pass for one of the site
            text = f"{type(error).__name__} could not be explained: {type(fault).__name__}: {fault}"
            return self._blame_ourselves(ProberFault.INTERNAL, text)
        match explained.kind:
            case StepErrorKind.SCRIPT:
                # What journey code did not expect is a defect of the journey, and says nothing about the site.
                text = f"{explained.message}{_place(error)}"
                self.fault = Fault(kind=ProberFault.SCRIPT, text=self._redactor.mask(text))
                return replace(explained, message=self.fault.text)
            case StepErrorKind.PAGE_CRASHED:
                # A renderer that dies once may be our machine's doing; what repeats is told apart over the attempts.
                self.fault = Fault(kind=ProberFault.BROWSER_CRASHED, text=explained.message)
                return explained
            case StepErrorKind.PROBER:
                self.fault = Fault(kind=ProberFault.INTERNAL, text=explained.message)
                return explained
            case _:
                return explained

    def _overdue(self, step: Step, *, stuck: bool) -> StepError:
        if stuck:
            text = f"step '{step.name}' ignores its cancellation; journey code must let CancelledError pass"
            return self._blame_ourselves(ProberFault.SCRIPT, text, StepErrorKind.SCRIPT)
        given = f"{self._allowance.for_steps:.1f} s"
        message = f"the step was not done when the {given} that the run has for steps were over"
        explained = self._ask_session(TimeoutError(message))
        return explained if self.fault else replace(explained, kind=StepErrorKind.DEADLINE, message=message)

    def _blame_ourselves(self, fault: ProberFault, text: str, kind: StepErrorKind = StepErrorKind.PROBER) -> StepError:
        masked = self._redactor.mask(text)
        self.fault = Fault(kind=fault, text=masked)
        return StepError(kind=kind, message=masked)

    def _masked(self, error: StepError) -> StepError:
        mask = self._redactor.mask
        return replace(error, message=mask(error.message), detail=mask(error.detail), awaited=mask(error.awaited))


def _asked_for(step: Step, known: Mapping[str, object]) -> dict[str, object]:
    # Read from the code itself: a signature object would cost each step of each run more than all else here.
    act = step.act if inspect.isfunction(step.act) else type(step.act).__call__
    code = act.__code__
    if code.co_flags & inspect.CO_VARKEYWORDS:
        return dict(known)
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return {name: known[name] for name in named if name in known}


def _place(error: BaseException) -> str:
    place = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] in _JOURNEY_MODULES:
            path = Path(trace.tb_frame.f_code.co_filename)
            place = f" at {path.parent.name}/{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
