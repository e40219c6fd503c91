"""What may be tried: single looks, and the journey made again with one thing changed. Plans only; nothing is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.domain.experiment import ExperimentKind
from monitor.domain.profile import Asking, ClientProfile
from monitor.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One light request.

    Attributes:
        subject: What it is about: the control's URL, or a host.
        by: The other way that is taken: a resolver's or an origin's address, a vantage's name.
        resolver: The DNS server to ask in place of everything that would answer otherwise.
        asking: How to ask for names; otherwise than usual, nothing but DNS may answer.
        address: Where to ask in the name of the URL's host, past edge and proxy.
        user_agent: As whom to ask; the profile's own where it is empty.
        connection_only: Whether reaching the host is all that is asked, so that any status will do.
    """

    kind: ExperimentKind
    subject: str
    url: str
    profile: ClientProfile
    by: str = ""
    method: str = "GET"
    resolver: str = ""
    asking: Asking = Asking.USUAL
    address: str = ""
    user_agent: str = ""
    note: str = ""
    connection_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The journey made again, up to the step ``until``.

    Attributes:
        hosts: The hosts that are blocked, or answered from ``archive``.
        path: The first part of the path that is meant, on a single host; all of it where it is empty.
        only_slow: Whether the run in question got there, so that the step has to stay within its budget to pass.
        values: What some of the journey's parameters are instead.
    """

    kind: ExperimentKind
    subject: str
    until: str
    profile: ClientProfile
    hosts: tuple[str, ...] = ()
    path: str = ""
    archive: str = ""
    only_slow: bool = False
    values: tuple[tuple[str, str | Secret], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is tried next: looks, all at the same time, or one journey; and what that is to settle."""

    settles: str
    looks: tuple[Look, ...] = ()
    again: Again | None = None
