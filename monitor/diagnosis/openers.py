"""Whose script opened a page: a navigation that a vendor's code began tells of that vendor first."""

from __future__ import annotations

from monitor.diagnosis.compared import code_changed, is_comparable, is_new, own_changed
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.owners import Owner
from monitor.domain.cause import Party
from monitor.domain.exchange import Exchange


def opener(incident: Incident, page: Exchange) -> Owner | None:
    """Return the vendor whose script opened a page in the failing step."""
    source = page.initiator
    if source is None or source.kind != "script" or incident.step is None or page.step not in ("", incident.step.name):
        return None
    url = next((url for url in (*source.frames[:1], source.url) if url), "")
    owner = incident.context.owners.owner_of(url) if url else None
    return owner if owner is not None and owner.party is Party.THIRD_PARTY else None


def is_led_astray(incident: Incident, page: Exchange) -> bool:
    """Say whether a vendor's code, which changed while ours did not, opened a page that nobody asked for before.

    Whatever becomes of such a page, the customer never meant to go there.
    """
    if page.resource != "document" or not is_comparable(incident) or not is_new(incident, page):
        return False
    owner = opener(incident, page)
    if owner is None or own_changed(incident, beside=page, cut_short=True):
        return False
    return any(each.host == owner.host for each in code_changed(incident, Party.THIRD_PARTY))
