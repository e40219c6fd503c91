"""Whom a failed run is put down to, as a label whose values are bounded whatever a target or a page says."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.diagnosis.context import Context
from monitor.domain.check import Check
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.ownership import Ownership
from monitor.publishing.vendors import OTHER, VendorList

CulpritLabel = tuple[str, str]
"""The labels ``kind`` and ``culprit``."""

NOBODY: CulpritLabel = ("unknown", "unknown")


class CulpritNames:
    """Finds the labels of a culprit: names of the configuration, of closed lists, and a bounded number of vendors."""

    def __init__(self, limit: int) -> None:
        """Admit ``limit`` vendors beside those that the configuration names."""
        self._vendors = VendorList(limit)
        self._teams: frozenset[str] = frozenset()
        self._hosts: frozenset[str] = frozenset()

    def configure(self, checks: Iterable[Check], ownership: Ownership, hosts: frozenset[str]) -> None:
        """Take over the teams, the vendors and the hosts of a configuration."""
        teams = {owner.team for owner in ownership.hosts} | {owner.team for owner in ownership.paths}
        teams |= {owner.team for owner in ownership.capabilities}
        stated = {ownership.default_team, *(check.team for check in checks)}
        self._teams = frozenset(teams | {team for team in stated if team})
        self._hosts = hosts
        self._vendors.admit(vendor.name for vendor in ownership.vendors)
        self._vendors.admit((*ownership.edges, *(hosted.vendor for hosted in ownership.hosted)))

    def label(self, diagnosis: Diagnosis | None, context: Context | None) -> CulpritLabel:
        """Return the labels of the culprit; ``unknown`` where nobody was named."""
        culprit = diagnosis.culprit if diagnosis else None
        if diagnosis is None or culprit is None:
            return NOBODY
        match culprit.kind:
            case CulpritKind.TEAM:
                return self._own(culprit, context)
            case CulpritKind.VENDOR:
                return CulpritKind.VENDOR.value, self._vendor(culprit, context)
            case CulpritKind.ENVIRONMENT:
                # The words for a part of the environment may name a host; those of the detail are a closed list.
                return CulpritKind.ENVIRONMENT.value, diagnosis.detail.value.partition(".")[2]

    def _own(self, culprit: Culprit, context: Context | None) -> CulpritLabel:
        if culprit.name in self._teams:
            return CulpritKind.TEAM.value, culprit.name
        if culprit.name in self._hosts:
            return "host", culprit.name
        # Own hosts that nobody named may be without number: they are told by their domain.
        return "host", context.owners.domain_of(culprit.name) if context else OTHER

    def _vendor(self, culprit: Culprit, context: Context | None) -> str:
        host = culprit.host or culprit.name
        stranger = context is None or culprit.name in (host, context.owners.domain_of(host))
        return self._vendors.label(None if stranger else culprit.name)
