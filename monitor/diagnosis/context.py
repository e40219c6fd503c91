"""What the rules may know beside the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.diagnosis.names import Names
from monitor.diagnosis.owners import Owners
from monitor.domain.check import Check
from monitor.domain.ownership import Ownership


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The check whose run is judged, and who owns what it touched."""

    check: Check
    owners: Owners


def contexts_for(checks: Iterable[Check], ownership: Ownership, names: Names) -> dict[str, Context]:
    """Return the context of each check by the check's name; checks of one host share what is found out about owners."""
    owners: dict[str, Owners] = {}
    contexts = {}
    for check in checks:
        host = urlsplit(check.target.base_url).hostname or ""
        if host not in owners:
            owners[host] = Owners(ownership, host, names)
        contexts[check.name] = Context(check=check, owners=owners[host])
    return contexts


def context_for(check: Check, ownership: Ownership, names: Names) -> Context:
    """Return the context of one check."""
    return contexts_for((check,), ownership, names)[check.name]
