"""What a session is given: the settings of its probe, and the secrets that its assignment holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.domain.assignment import Assignment
from monitor.domain.secret import Secret
from monitor.probes.browser.ledger import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """What every session of a probe has in common."""

    limits: Limits
    vitals_script: str
    traces: bool = False
    scratch: Path


def secrets_of(assignment: Assignment) -> tuple[Secret, ...]:
    """Return every secret that an assignment holds."""
    check = assignment.check
    held = [value for _, value in (*check.values, *check.target.headers)]
    if check.profile.proxy is not None and check.profile.proxy.password is not None:
        held.append(check.profile.proxy.password)
    return tuple(value for value in held if isinstance(value, Secret))
