"""How we ourselves fare: the lag of our event loop, pressure on processor and memory, throttling, disk and clock."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.clock import Clock
from monitor.domain.evidence import VantageHealth

_PERIOD = 0.05
_REMEMBERED = 20 * 60 * 10
_FRESH = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPaths:
    """Where the system tells of itself; the first file that exists of each tuple counts."""

    cpu_pressure: Path = Path("/proc/pressure/cpu")
    memory_pressure: Path = Path("/proc/pressure/memory")
    cpu_statistics: tuple[Path, ...] = (Path("/sys/fs/cgroup/cpu.stat"), Path("/sys/fs/cgroup/cpu/cpu.stat"))
    memory_events: tuple[Path, ...] = (
        Path("/sys/fs/cgroup/memory.events"),
        Path("/sys/fs/cgroup/memory/memory.oom_control"),
        Path("/proc/vmstat"),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    cpu_pressure: float | None
    memory_pressure: float | None
    periods: int | None
    throttled: int | None
    oom_kills: int | None
    disk_free: int | None


class HealthWindow:
    """The time of one run, as seen by a sampler that many runs share."""

    def __init__(self, sampler: HealthSampler) -> None:
        """Start the window now."""
        self._sampler = sampler
        self._since = now = sampler.clock.elapsed()
        self._skew = sampler.skew(now)
        self._first = sampler.reading(now)

    def close(self, *, browser_alive: bool | None = None) -> VantageHealth:
        """Return how we fared from the start of the window until now. May be called more than once."""
        sampler, first = self._sampler, self._first
        now = sampler.clock.elapsed()
        stepped = sampler.skew(now) - self._skew
        last = sampler.reading(now)
        lags = sampler.lags(self._since, now)
        return VantageHealth(
            loop_lag_p50=statistics.median(lags) if lags else None,
            loop_lag_max=max(lags, default=None),
            cpu_pressure=last.cpu_pressure,
            memory_pressure=last.memory_pressure,
            throttled_ratio=_ratio(
                _difference(last.throttled, first.throttled), _difference(last.periods, first.periods)
            ),
            disk_free_bytes=last.disk_free,
            browser_alive=browser_alive,
            oom_kills=_difference(last.oom_kills, first.oom_kills),
            clock_stepped=stepped,
        )


class HealthSampler:
    """Samples the lag of the running event loop twenty times a second; one for each process."""

    def __init__(self, *, clock: Clock, directory: Path, paths: SystemPaths | None = None) -> None:
        """Watch the disk that holds ``directory``."""
        self.clock = clock
        self._directory = directory
        self._paths = paths or SystemPaths()
        self._lags: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._timer: asyncio.TimerHandle | None = None
        self._reading: tuple[float, _Reading] | None = None
        self._due = 0.0

    def start(self) -> None:
        """Begin to sample in the running event loop."""
        if self._timer is None:
            self._await_turn(asyncio.get_running_loop())

    async def stop(self) -> None:
        """Stop sampling."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def window(self) -> HealthWindow:
        """Return a window that starts now."""
        return HealthWindow(self)

    def lags(self, since: float, now: float) -> list[float]:
        """Return the lags seen between two readings of the clock, one still going on among them."""
        found: list[float] = []
        for at, lag in reversed(self._lags):
            if at < since:
                break
            found.append(lag)
        if self._timer is not None and now - self._due > _PERIOD:
            found.append(now - self._due)
        return found

    def skew(self, now: float) -> float:
        """Return the wall clock minus the clock that never steps, of which ``now`` is a reading, in seconds."""
        return self.clock.now().timestamp() - now

    def reading(self, now: float) -> _Reading:
        """Return what the system says, at most a second old."""
        if self._reading is None or now - self._reading[0] >= _FRESH:
            self._reading = (now, self._read())
        return self._reading[1]

    def _await_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = self.clock.elapsed() + _PERIOD
        self._timer = loop.call_later(_PERIOD, self._take_turn, loop)

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self.clock.elapsed()
        self._lags.append((now, max(0.0, now - self._due)))
        self._await_turn(loop)

    def _read(self) -> _Reading:
        statistics_ = _fields(_first_text(self._paths.cpu_statistics))
        return _Reading(
            cpu_pressure=_pressure(_text(self._paths.cpu_pressure)),
            memory_pressure=_pressure(_text(self._paths.memory_pressure)),
            periods=statistics_.get("nr_periods"),
            throttled=statistics_.get("nr_throttled"),
            oom_kills=_first_field(self._paths.memory_events, "oom_kill"),
            disk_free=disk_free(self._directory),
        )


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""


def _first_text(paths: tuple[Path, ...]) -> str:
    return next((text for path in paths if (text := _text(path))), "")


def _first_field(paths: tuple[Path, ...], name: str) -> int | None:
    return next((found for path in paths if (found := _fields(_text(path)).get(name)) is not None), None)


def _fields(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}  # noqa: PLR2004 - name, value


def _pressure(text: str) -> float | None:
    for line in text.splitlines():
        if line.startswith("some avg10="):
            try:
                return float(line.split()[1].removeprefix("avg10="))
            except ValueError:
                return None
    return None


def disk_free(directory: Path) -> int | None:
    """Return the bytes left for us on a folder's disk, or ``None`` where the system does not tell."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _difference(now: int | None, first: int | None) -> int | None:
    return None if now is None or first is None else max(0, now - first)


def _ratio(part: int | None, whole: int | None) -> float | None:
    if part is None or whole is None:
        return None
    return part / whole if whole else 0.0
