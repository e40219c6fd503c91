"""APScheduler, driven by a timeline that the setting of the wall clock neither silences nor doubles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger


class Whenever(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """Fires at the moment that a function names, at the latest a second after it fired last."""

    __slots__ = ("_moment", "_pause")

    def __init__(self, moment: Callable[[], dt.datetime | None], *, pause: dt.timedelta = dt.timedelta()) -> None:
        """Ask ``moment`` each time the job has run, and let it rest for ``pause`` in any case."""
        self._moment = moment
        self._pause = pause

    def get_next_fire_time(self, previous_fire_time: dt.datetime | None, now: dt.datetime) -> dt.datetime:  # noqa: ARG002 - APScheduler's signature
        """Return the next moment, which may have passed already."""
        latest = now + _LOOK_AGAIN
        return max(min(self._moment() or latest, latest), now + self._pause)


class SteadyScheduler(AsyncIOScheduler):  # type: ignore[misc]  # APScheduler ships no types
    """APScheduler's job store, triggers and timer, with the present moment handed in.

    APScheduler compares with the wall clock: set back, it waits until the clock has caught up; set forward or held up,
    it drops what is a second late. Here a job runs once for all the moments that have come, however late it is.
    """

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        """Ask ``now`` for the time; whoever makes it step calls :meth:`advance` for each job."""
        self._now = now
        self._inline = _Inline()
        super().__init__(timezone=dt.UTC, executors={"default": self._inline})

    @property
    def faults(self) -> int:
        """Return how often a job has raised."""
        return self._inline.faults

    def follow(self, name: str, work: Callable[[], None], trigger: BaseTrigger) -> Job:
        """Add a job that runs in the event loop itself, so it must be quick; where it raises, it rests for a second."""
        return self.add_job(work, trigger, id=name, name=name, next_run_time=self._now())

    def advance(self, name: str, moment: dt.datetime) -> None:
        """Let a job run at ``moment``, if that is before the time it now waits for."""
        job = self.get_job(name)
        if job is not None and job.next_run_time > moment:
            job.modify(next_run_time=moment)

    def _process_jobs(self) -> float:
        now = self._now()
        with self._jobstores_lock:
            store = self._lookup_jobstore("default")
            for job in store.get_due_jobs(now):
                faults = self.faults
                self._inline.submit_job(job, [job.next_run_time])
                # A job may have made the timeline step, so that ``now`` is no longer the present moment.
                following = job.trigger.get_next_fire_time(job.next_run_time, self._now())
                if self.faults > faults:
                    following = self._now() + _LOOK_AGAIN
                job._modify(next_run_time=following)  # noqa: SLF001 - Job.modify would start another turn
                store.update_job(job)
            upcoming = store.get_next_run_time()
        wait = (upcoming - self._now()).total_seconds() if upcoming else _LOOK_AGAIN.total_seconds()
        return max(0.0, wait)


class _Inline(BaseExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """Runs a job at once: a task or a thread for each would cost more than the job."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = 0

    def _do_submit_job(self, job: Job, run_times: list[dt.datetime]) -> None:  # noqa: ARG002 - APScheduler's signature
        try:
            job.func()
        except Exception as error:  # noqa: BLE001 - one job that fails must not end the turn of the others
            self.faults += 1
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, [])


_LOOK_AGAIN = dt.timedelta(seconds=1)
