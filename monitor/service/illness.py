"""How the monitor itself is, in sentences, from what its parts say of themselves."""

from __future__ import annotations

from monitor.dispatch.dispatcher import DispatcherStatus
from monitor.history.values import HistoryStatus
from monitor.scheduling.scheduler import SchedulerStatus
from monitor.web.monitor import Health

# One run that raises may be its own fault; so many in a row are ours.
_FAILING = 3


def health_of(
    scheduler: SchedulerStatus, store: HistoryStatus, workers: DispatcherStatus, notices: tuple[str, ...]
) -> Health:
    """Return what does not work, what has to happen first, and, as they are, the notices."""
    problems, waiting = [], []
    if not scheduler.healthy:
        problems.append(f"the scheduler has not moved for {max(scheduler.turned, scheduler.recorded):.0f} s")
    if scheduler.failing >= _FAILING:
        problems.append(f"the last {scheduler.failing} runs could not be carried out; the log says why")
    if not store.writer_alive:
        problems.append("the store's writer has ended")
    elif not store.healthy:
        problems.append(f"results are not being stored: {store.trouble or 'the database was damaged or disk is low'}")
    for lane in workers.lanes:
        if lane.trouble:
            problems.append(f"no {lane.lane.value} run can be made: {lane.trouble}")
        elif lane.starting and not lane.ready:
            waiting.append(f"the first {lane.lane.value} worker is still starting")
    return Health(problems=tuple(problems), waiting=tuple(waiting), notices=notices)
