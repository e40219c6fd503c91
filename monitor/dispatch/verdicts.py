"""What it means that a worker died, or that a run was not over in time. Always our fault, never the site's."""

from __future__ import annotations

import signal

from monitor.dispatch.flight import Flight, Limits, Obituary
from monitor.dispatch.messages import LaneName
from monitor.dispatch.worker import BEAT
from monitor.domain.evidence import ProberFault
from monitor.execution.progress import Interruption

_BLOCKED_AFTER = 3 * BEAT


def of_death(obituary: Obituary, lane: LaneName, limits: Limits) -> Interruption:
    """Return what befell the runs of a worker that died."""
    if obituary.reason == "memory":
        megabytes = limits.memory_bytes // 1_000_000
        return Interruption(fault=ProberFault.OUT_OF_MEMORY, text=f"the worker used more than its {megabytes} MB")
    if obituary.reason == "processes":
        text = f"the worker started more than {limits.processes} processes"
        return Interruption(fault=ProberFault.SCRIPT, text=text)
    if obituary.reason == "told":
        return Interruption(fault=ProberFault.WORKER_KILLED, text="the worker was ended by the monitor")
    return _of_status(obituary, lane)


def of_overdue(flight: Flight, lane: LaneName) -> Interruption:
    """Return what befell a run that was not over when it had to be."""
    silence = flight.worker.silence()
    deadline = flight.order.assignment.check.deadline.total_seconds()
    ended = f"ended from outside after its deadline of {deadline:g} s"
    if flight.worker.is_stopped():
        return Interruption(fault=ProberFault.WORKER_KILLED, text=f"the worker's process had been stopped; {ended}")
    if silence > _BLOCKED_AFTER and lane is LaneName.HTTP:
        return Interruption(fault=ProberFault.WORKER_KILLED, text=f"the worker hung for {silence:.1f} s; {ended}")
    if silence > _BLOCKED_AFTER:
        text = f"the journey's code blocked its process for {silence:.1f} s without awaiting anything; {ended}"
        return Interruption(fault=ProberFault.SCRIPT, text=text)
    match lane:
        case LaneName.HTTP:
            return Interruption(fault=ProberFault.INTERNAL, text=f"the run did not end by itself; {ended}")
        case LaneName.SCRIPT:
            text = f"the journey's code did not stop when its time was over; {ended}"
            return Interruption(fault=ProberFault.SCRIPT, text=text)
        case LaneName.BROWSER:
            text = f"the browser, or the journey's code, did not stop when its time was over; {ended}"
            return Interruption(fault=ProberFault.BROWSER_FROZEN, text=text)


def of_failed_start(obituary: Obituary) -> Interruption:
    """Return why there is no worker, where one died before it was ready."""
    last = obituary.tail.strip().rpartition("\n")[2]
    text = f"a worker could not be started ({_how(obituary)})" + (f": {last}" if last else "")
    return Interruption(fault=ProberFault.WORKER_DIED, text=text)


def _of_status(obituary: Obituary, lane: LaneName) -> Interruption:
    how = _how(obituary)
    if obituary.oom and obituary.status == -signal.SIGKILL:
        return Interruption(fault=ProberFault.OUT_OF_MEMORY, text="the kernel ended the worker for want of memory")
    if obituary.status is not None and obituary.status >= 0 and lane is not LaneName.HTTP:
        return Interruption(fault=ProberFault.SCRIPT, text=f"the journey's code ended its own process ({how})")
    return Interruption(fault=ProberFault.WORKER_DIED, text=f"the worker died ({how})")


def _how(obituary: Obituary) -> str:
    if obituary.status is None:
        return "in an unknown way"
    if obituary.status < 0:
        return f"signal {signal.Signals(-obituary.status).name}"
    return f"exit status {obituary.status}"
