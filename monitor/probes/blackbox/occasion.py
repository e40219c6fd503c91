"""One probe while it goes on: until when it may take, what it found, and what it says of it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.probes.blackbox.gauges import Gauges
from monitor.probes.http.dialing import Dialer
from monitor.probes.vantage.resolver import Resolver

_MOST_LINES = 500
_LONGEST_LINE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What all probes of a process share."""

    dialer: Dialer
    resolver: Resolver
    now: Callable[[], dt.datetime]


@dataclass(slots=True, kw_only=True)
class Occasion:
    """One probe: ``deadline`` is a reading of ``time.monotonic()``, ``lines`` are for people who ask for them."""

    network: Network
    deadline: float
    gauges: Gauges = field(default_factory=Gauges)
    lines: list[str] = field(default_factory=list)

    @property
    def seconds_left(self) -> float:
        """Return how long it may still take."""
        return max(0.0, self.deadline - time.monotonic())

    def say(self, message: str, **facts: object) -> None:
        """Note what was done or seen; secrets are masked when it is shown."""
        if len(self.lines) == _MOST_LINES:
            self.lines.append("further lines are left out")
        if len(self.lines) > _MOST_LINES:
            return
        told = "".join(f" {name}={_quoted(value)}" for name, value in facts.items())
        moment = self.network.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.lines.append(f"ts={moment} msg={_quoted(message)}{told}"[: 2 * _LONGEST_LINE])


def _quoted(value: object) -> str:
    text = str(value)[:_LONGEST_LINE]
    if text.isprintable() and not any(char in ' "=\\' for char in text):
        return text
    visible = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return '"' + visible.replace('"', "'") + '"'
