"""What is allowed and yet unwise in a configuration: no problem, but worth a word before the start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.config.settings import Settings
from monitor.diagnosis.names import Names, load_names
from monitor.diagnosis.owners import Owners
from monitor.domain.cause import Party

_ENOUGH_CONTROLS = 3


def advice(settings: Settings) -> tuple[str, ...]:
    """Return what should be thought over, each with its remedy."""
    if not settings.investigation.enabled:
        return ()
    names = load_names()
    return (*_few_controls(settings), *_shared_controls(settings, names), *_own_controls(settings, names))


def _few_controls(settings: Settings) -> Iterator[str]:
    count = len(settings.ownership.controls)
    if count < _ENOUGH_CONTROLS:
        found = f"{count} control{'' if count == 1 else 's'}" if count else "no controls"
        yield (
            f"the ownership file names {found}: name {_ENOUGH_CONTROLS} sites of different operators, "
            "or a fault of our own line can hardly be told from one of the site"
        )


def _shared_controls(settings: Settings, names: Names) -> Iterator[str]:
    by_domain: dict[str, list[str]] = defaultdict(list)
    for url in settings.ownership.controls:
        host = urlsplit(url).hostname or ""
        by_domain[names.domains.of(host) or host].append(host)
    for domain, hosts in by_domain.items():
        if len(hosts) > 1:
            shared = " and ".join(dict.fromkeys(hosts))
            yield f"controls that share an operator fail together: {shared}, all of {domain}; keep one of them"


def _own_controls(settings: Settings, names: Names) -> Iterator[str]:
    targets = {urlsplit(check.target.base_url).hostname or "" for check in settings.checks}
    views = [Owners(settings.ownership, target, names) for target in sorted({*targets, ""})]
    for url in settings.ownership.controls:
        host = urlsplit(url).hostname or ""
        if any(view.owner_of(host).party is Party.OWN for view in views):
            yield f"the control {host} is an own host: its failure says nothing of our line; name one of others"
