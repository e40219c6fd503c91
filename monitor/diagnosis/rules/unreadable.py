"""R09: what could not be read at all: a script that does not parse, a page where data was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.diagnosis.compared import changed, is_comparable
from monitor.diagnosis.incident import Finding, Incident, alternative
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.scripts import errors_in_force
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.evidence import PageError
from monitor.domain.exchange import Exchange

JSON = re.compile(r"\bJSON\b")
MISSING_NAME = re.compile(r"is not defined|can't find variable", re.IGNORECASE)
_DATA = frozenset({"xhr", "fetch"})
_OK = 200
_UNPARSED = re.compile(
    r"^(?:Uncaught )?(?:SyntaxError: )?"
    r"(?:Unexpected (?:end of input|token|identifier|string|number|EOF|end of script)|Invalid or unexpected token"
    r"|missing [^ ]+ (?:after|before|in)|(?:Unterminated|Invalid) (?:string|template|regular|regex))",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"Unexpected token '?<|unexpected character at line 1 column 1", re.IGNORECASE)


def does_not_parse(error: PageError) -> bool:
    """Say whether an exception is that of a script that could not be read, so that nothing in it was ever run."""
    return bool(error.frames) and bool(_UNPARSED.search(error.message)) and not JSON.search(error.message)


def _in_step(incident: Incident) -> Iterable[Exchange]:
    name = incident.step.name if incident.step else None
    return (x for x in incident.exchanges if name is None or x.step in ("", name))


def unreadable_script(incident: Incident) -> Finding | None:
    """R09: a script that does not parse defines nothing, which explains every name that is missing afterwards."""
    errors = errors_in_force(incident)
    broken = [error for error in errors if does_not_parse(error)]
    owner_of = incident.context.owners.owner_of
    owners = {owner.host: owner for error in broken if not (owner := owner_of(error.frames[0])).beside}
    if len(owners) != 1:
        return None
    (owner,) = owners.values()
    missed = any(MISSING_NAME.search(error.message) for error in errors if error not in broken)
    if owner.party is Party.THIRD_PARTY and not missed and not owner.critical:
        return None
    error = next(error for error in broken if owner_of(error.frames[0]).host == owner.host)
    words = f'a script of {owner.host} cannot be read by the browser ("{error.message}")'
    return Finding(
        detail=Detail.OWN_SCRIPT if owner.party is Party.OWN else Detail.TP_SCRIPT,
        because=f"{incident.scene} {words}, so nothing in it was run; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(x.id for x in incident.exchanges if x.url == error.frames[0])[:1],
    )


def page_for_data(incident: Incident, error: PageError) -> Finding | None:
    """R09: code asked for data and got a page of markup, and only one host sent such a page."""
    if not JSON.search(error.message) or not _MARKUP.search(error.message):
        return None
    data = [x for x in _in_step(incident) if x.resource in _DATA and not incident.owner(x).beside]
    pages = [x for x in data if x.status == _OK and "html" in x.mime_type]
    if len({x.host for x in pages}) != 1:
        return None
    known = is_comparable(incident)
    # Some pages ask for markup and mean it: only a change, or that nobody else sent anything, tells.
    if not any(changed(incident, x) for x in pages) if known else len({x.host for x in data}) != 1:
        return None
    owner: Owner = incident.owner(pages[-1])
    own = owner.party is Party.OWN
    words = f"{where(pages[-1])} answered 200 with a page of markup where the page's code reads data"
    return Finding(
        detail=Detail.OWN_CONTENT if own else Detail.TP_CONTENT,
        because=f'{incident.scene} {words} ("{error.message}"); it belongs to {owner.title}.',
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=(pages[-1].id,),
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may ask the wrong address"),),
    )
