"""In what a run differs from the last good one, as the rules ask for it."""

from __future__ import annotations

from monitor.diagnosis.incident import Incident
from monitor.domain.cause import Party
from monitor.domain.exchange import Exchange
from monitor.domain.reference import Difference, DifferenceKind

_ANSWERS = frozenset({DifferenceKind.CONTENT, DifferenceKind.STATUS, DifferenceKind.NEW})
# By which way an answer came tells a person something, and of the answer nothing.
_AROUND = frozenset({DifferenceKind.ADDRESS, DifferenceKind.ISSUER})
_CODE = frozenset({"script", "stylesheet"})
_NO_CODE = frozenset({"image", "font", "media", "ping", "beacon", "prefetch", "csp_report", "xhr", "fetch"})


def differences(incident: Incident) -> tuple[Difference, ...]:
    """Return in what answers differ from the last good run; nothing where there was nothing to compare with.

    Of another client's good run only a status that turned bad says something: the rest may be meant for that client.
    """
    compared = incident.evidence.compared
    if compared is None or not compared.profile:
        return tuple(each for each in compared.differences if each.kind not in _AROUND) if compared else ()
    return tuple(each for each in compared.differences if each.kind is DifferenceKind.STATUS)


def changed(incident: Incident, exchange: Exchange) -> tuple[Difference, ...]:
    """Return in what one exchange differs."""
    return tuple(each for each in differences(incident) if each.exchange == exchange.id or each.url == exchange.url)


def failed_alike(incident: Incident, exchange: Exchange) -> bool:
    """Say whether an exchange failed in the last good run too, always and in the same way: it is needed by nobody."""
    compared = incident.evidence.compared
    return compared is not None and not compared.profile and exchange.id in compared.failed_alike


def is_new(incident: Incident, exchange: Exchange) -> bool:
    """Say whether the last good run did not ask this address at all."""
    return any(each.kind is DifferenceKind.NEW for each in changed(incident, exchange))


def code_changed(incident: Incident, party: Party) -> tuple[Difference, ...]:
    """Return the scripts and stylesheets of one side that answer otherwise than before, trades beside left in."""
    owner_of = incident.context.owners.owner_of
    return tuple(
        each
        for each in differences(incident)
        if each.kind in _ANSWERS and each.resource in _CODE and owner_of(each.url).party is party
    )


def is_comparable(incident: Incident) -> bool:
    """Say whether there is a good run of this very check, so that what does not differ from it is what it was."""
    compared = incident.evidence.compared
    return compared is not None and not compared.profile


def own_changed(incident: Incident, *, beside: Exchange | None = None, cut_short: bool = False) -> bool:
    """Say whether a page or code of ours answers otherwise than before; its data and its pictures may.

    ``beside`` is a page or script that is known to, and left aside; ``cut_short`` says that the rest was not asked for
    because of it.
    """
    owner_of = incident.context.owners.owner_of
    own = [e for e in differences(incident) if e.resource not in _NO_CODE and owner_of(e.url).party is Party.OWN]
    kinds = {DifferenceKind.HEADER, DifferenceKind.MISSING} if cut_short else {DifferenceKind.HEADER}
    return any(e.kind not in kinds and (beside is None or e.url != beside.url) for e in own)


def turned(incident: Incident, exchange: Exchange) -> bool:
    """Say whether an exchange was answered well in the last good run and has another status now."""
    status = (each for each in changed(incident, exchange) if each.kind is DifferenceKind.STATUS)
    return any(each.before[:1] in ("2", "3") for each in status)


def size_of(text: str) -> int | None:
    """Return the bytes that a difference of content tells of one side (``size:hash``)."""
    head = text.partition(":")[0]
    return int(head) if head.isdigit() else None
