"""A journey bound to a target, a client profile and a schedule."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from monitor.domain.profile import ClientProfile, HostOverride
from monitor.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The environment a journey is aimed at.

    Attributes:
        base_url: Scheme, host and port; steps name paths below it.
        headers: Sent to the target's own origin only, never to a third party's.
        allowed_private: Whether addresses of private ranges and loopback may be contacted.
        trace_context: Whether requests to own hosts carry a W3C ``traceparent`` made from the run's id.
    """

    name: str
    base_url: str
    headers: tuple[tuple[str, str | Secret], ...] = ()
    hosts: tuple[HostOverride, ...] = ()
    extra_ca: str | None = field(default=None, repr=False)
    allowed_private: bool = True
    trace_context: bool = False
    concurrency: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When: at a fixed ``interval`` with a stable offset of the check's own, or at the moments of a crontab expression.

    Exactly one of ``interval`` and ``cron`` is given. One class for both, because the wire codec tells values by their
    fields.
    """

    interval: dt.timedelta | None = None
    cron: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """A time in which planned slots are skipped and said to be so.

    Either from ``start`` to ``end`` once, or for ``duration`` from each moment of ``cron``.
    """

    name: str
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    cron: Schedule | None = None
    duration: dt.timedelta | None = None
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The scheduled unit and the identity of the series: ``journey@target/profile``.

    Attributes:
        deadline: After this time the run is ended from outside, attempts and teardown included.
        attempts: How often a failing journey may be tried within one run, the first try included.
        values: What the journey's parameters are in this check.
        second_account: What some of them are instead, to sign in as somebody else where the first account is refused.
        objective: The share of runs that should succeed, between 0 and 1.
        satisfied_within: Up to this time customers are satisfied with the journey, up to four times it they bear it.
        process: The business process that the journey is part of.
        customers_per_hour: How many customers take the journey in an hour.
        value_per_customer: What one of them is worth, in the currency of the configuration.
    """

    name: str
    journey: str
    target: Target
    profile: ClientProfile
    schedule: Schedule
    deadline: dt.timedelta
    attempts: int = 2
    budget: dt.timedelta | None = None
    values: tuple[tuple[str, str | Secret], ...] = ()
    second_account: tuple[tuple[str, str | Secret], ...] = field(default=(), repr=False)
    team: str | None = None
    service: str | None = None
    tier: int = 2
    objective: float = 0.99
    satisfied_within: dt.timedelta | None = None
    process: str | None = None
    customers_per_hour: float | None = None
    value_per_customer: float | None = None
    enabled: bool = True

    @property
    def interval(self) -> dt.timedelta | None:
        """Return the time between two slots, or ``None`` where a crontab decides."""
        return self.schedule.interval
