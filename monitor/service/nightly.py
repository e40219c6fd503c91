"""Drills checks when their time comes, and says which third parties have become a single point of failure."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Awaitable, Callable

from monitor.config.settings import Settings
from monitor.domain.check import Check
from monitor.domain.clock import Clock
from monitor.investigation.drill import DrillError, DrillReport
from monitor.investigation.drill_reports import DrillReports
from monitor.scheduling.timetable import datetime_of, moment_of, timetable_of

_LOG = logging.getLogger(__name__)
_LOOK = 20.0


class Nightly:
    """Looks now and then whether a drill is due; makes one at a time, so that they never crowd out the checks."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        drill: Callable[[Check], Awaitable[DrillReport]],
        reports: DrillReports,
        clock: Clock,
        look: float = _LOOK,
    ) -> None:
        """Go by the settings in force at each look, every ``look`` seconds."""
        self._settings = settings
        self._drill = drill
        self._reports = reports
        self._clock = clock
        self._look = look
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._watch(), name="nightly drills")

    async def close(self) -> None:
        """Stop, in the middle of a drill too."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def due(self, after: dt.datetime, until: dt.datetime) -> tuple[str, ...]:
        """Return the names of the checks whose drill falls due after one moment and not after another."""
        names = []
        for plan in self._settings().drills:
            following = timetable_of(plan.check, plan.schedule).following(moment_of(after))
            if following is not None and datetime_of(following) <= until:
                names.append(plan.check)
        return tuple(dict.fromkeys(names))

    async def make(self, name: str) -> None:
        """Drill one check, keep the report, and warn of what is new in it. Never raises."""
        check = next((one for one in self._settings().checks if one.name == name), None)
        if check is None:
            _LOG.warning("a drill was not made", extra={"check": name, "reason": "the check does not run"})
            return
        try:
            report = await self._drill(check)
            known = await asyncio.to_thread(self._reports.keep, report)
        except (DrillError, OSError) as error:
            _LOG.warning("a drill was not made", extra={"check": name, "reason": str(error)})
            return
        except Exception:  # noqa: BLE001 - whatever it was, the next drill is made
            _LOG.exception("a drill failed, which is our own fault", extra={"check": name})
            return
        _LOG.info("a check was drilled", extra={"check": name, "third_parties": len(report.findings)})
        for vendor in known.new:
            _LOG.warning(
                "a check has a new single point of failure",
                extra={"check": name, "third_party": vendor, "why": known.hard[vendor]},
            )

    async def _watch(self) -> None:
        looked = self._clock.now()
        while True:
            await asyncio.sleep(self._look)
            before, looked = looked, self._clock.now()
            for name in self.due(before, looked):
                await self.make(name)
