"""How busy the workers are, in the form in which it is published."""

from __future__ import annotations

from monitor.dispatch import DispatcherStatus, LaneName
from monitor.publishing.health import QueueState, WorkerCount


def worker_counts(status: DispatcherStatus) -> tuple[WorkerCount, ...]:
    """Return how many workers of each pool are ready, and how many are starting."""
    counts = []
    for lane in status.lanes:
        states = {"ready": lane.ready, "starting": lane.starting}
        counts += [WorkerCount(pool=lane.lane.value, state=state, count=count) for state, count in states.items()]
    return tuple(counts)


def browser_journeys(status: DispatcherStatus) -> int:
    """Return how many journeys are under way in a browser, each in a context of its own."""
    return sum(lane.running for lane in status.lanes if lane.lane is LaneName.BROWSER)


def queues_of(status: DispatcherStatus) -> tuple[QueueState, ...]:
    """Return how many runs wait for a worker, pool by pool, and how many for their target."""
    queues = [QueueState(queue=lane.lane.value, length=lane.queued) for lane in status.lanes]
    return (*queues, QueueState(queue="target", length=status.waiting_for_target))
