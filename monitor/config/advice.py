"""What is allowed and yet unwise in a configuration: no problem, but worth a word before the start."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.config.settings import Settings
from monitor.diagnosis.names import Names, load_names
from monitor.diagnosis.owners import Owners
from monitor.domain.cause import Party

_ENOUGH_CONTROLS = 3
# The burn rate over an hour that pages: config/prometheus/rules/faultline-journeys.yml.
_PAGING_BURN = 14.4
_HOUR = dt.timedelta(hours=1)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def advice(settings: Settings) -> tuple[str, ...]:
    """Return what should be thought over, each with its remedy."""
    found = [
        *_rare_checks(settings),
        *_local_links(settings),
        *_missing_links(settings),
        *_untold_teams(settings),
        *_idle_receivers(settings),
        *_values_of_nobody(settings),
    ]
    if settings.investigation.enabled:
        names = load_names()
        found += (*_few_controls(settings), *_shared_controls(settings, names), *_own_controls(settings, names))
    return tuple(found)


def _rare_checks(settings: Settings) -> Iterator[str]:
    for check in settings.checks:
        often_enough = _HOUR * _PAGING_BURN * (1 - check.objective)
        if check.enabled and check.interval is not None and check.interval > often_enough:
            yield (
                f"check {check.name}: at this interval one failed run alone burns the error budget of "
                f"{check.objective:.6g} at a rate that pages, so the alert waits for a second one; run it every "
                f"{often_enough.total_seconds():.0f} s at the latest, or lower its objective"
            )


def _local_links(settings: Settings) -> Iterator[str]:
    if settings.notifications.receivers and not settings.web.external_url:
        yield (
            f"notifications link to runs at {settings.web.url}, which others may not reach: set web.external_url to "
            "the address that people use"
        )


def _missing_links(settings: Settings) -> Iterator[str]:
    """Advise where the pages are meant for others, so that somebody will miss the links in alerts."""
    web = settings.web
    if web.host not in _LOOPBACK and not web.external_url and not settings.notifications.receivers:
        yield (
            "alerts will have no link to the failed run (run_url): set web.external_url to the address under which "
            "people reach the pages, or give faultline serve --external-url"
        )


def _untold_teams(settings: Settings) -> Iterator[str]:
    receivers = settings.notifications.receivers
    if not receivers or not all(receiver.teams for receiver in receivers):
        return
    told = {team for receiver in receivers for team in receiver.teams}
    untold = [check for check in settings.checks if check.enabled and check.team not in told]
    if untold:
        teams = ", ".join(sorted({check.team or "no team" for check in untold}))
        yield (
            f"no receiver is told of {len(untold)} check{'' if len(untold) == 1 else 's'} (of {teams}): add the team "
            "to a receiver below notifications, or a receiver without teams"
        )


def _idle_receivers(settings: Settings) -> Iterator[str]:
    teams = {check.team for check in settings.checks if check.enabled}
    for receiver in settings.notifications.receivers:
        if receiver.teams and teams.isdisjoint(receiver.teams):
            names = ", ".join(receiver.teams)
            yield f"receiver {receiver.name} is never told: no check belongs to {names}; set the team of a check"


def _values_of_nobody(settings: Settings) -> Iterator[str]:
    worth = [check for check in settings.checks if check.enabled and check.value_per_customer is not None]
    names = sorted({check.name for check in worth if check.customers_per_hour is None})
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield (
            f"check {names[0]}{more}: value_per_customer counts for nothing without customers_per_hour; say how many "
            "customers come in an hour"
        )


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
