"""What the page itself did: something in the way of a click, two elements where one was meant, an exception."""

from __future__ import annotations

import re

from monitor.diagnosis.incident import Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import is_defect, is_hollow
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import ConsoleLevel, PageError, StepErrorKind

# Only a frame says by its address whose document lies there; a link or a picture may stand on anybody's page.
_FRAME = re.compile(r"<iframe\b[^>]*\ssrc=[\"'](https?://[^\"']+)", re.IGNORECASE)
_MISSING_NAME = re.compile(r"is not defined|can't find variable", re.IGNORECASE)
_JSON = re.compile(r"\bJSON\b")
_ABSENT = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT})
_CODE = frozenset({"script", "stylesheet"})
_DATA = frozenset({"xhr", "fetch"})


def click_intercepted(incident: Incident) -> Finding | None:
    """R10: an element lay over the one to be clicked; its owner is known only where it says from where it came."""
    error = incident.step.error if incident.step else None
    if error is None or not (error.kind is StepErrorKind.INTERCEPTED or error.intercepted_by):
        return None
    words = f"{error.intercepted_by or 'another element'} lies over what was to be clicked"
    urls = _FRAME.findall(error.intercepted_by)
    owners = [incident.context.owners.owner_of(url) for url in urls]
    if not owners:
        return Finding(
            detail=Detail.UND_INSUFFICIENT,
            confidence=Confidence.NONE,
            because=f"{incident.scene} {words}; which script put it there is not known.",
            evidence=(words,),
            alternatives=(
                alternative(Detail.TP_SCRIPT, "a vendor's script may have put it there"),
                alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "the page may have been changed on purpose"),
            ),
        )
    owner = owners[0]
    detail = Detail.OWN_SCRIPT if owner.party is Party.OWN else Detail.TP_SCRIPT
    return Finding(
        detail=detail,
        because=f"{incident.scene} {words}; it comes from {owner.host} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
    )


def ambiguous(incident: Incident) -> Finding | None:
    """R11: two elements match where the journey means one; the page or the journey has changed."""
    if incident.kind is not StepErrorKind.AMBIGUOUS:
        return None
    return _changed(incident, "more than one element matches what the journey looks for")


def exception_thrown(incident: Incident) -> Finding | None:
    """R09, without its experiments: an exception nobody caught, blamed only where one side alone can have caused it."""
    step = incident.step.name if incident.step else ""
    errors = [error for error in incident.evidence.page_errors if error.step in ("", step)]
    if not errors or incident.needed:
        return None
    error = next((each for each in errors if each.frames), errors[0])
    if not error.frames:
        return _malformed_data(incident, error)
    parties = {incident.context.owners.owner_of(url).party for url in error.frames}
    owner = incident.context.owners.owner_of(error.frames[0])
    words = f'{owner.host} threw "{error.message}"'
    if parties == {Party.OWN} and not _vendor_may_be_behind(incident, error):
        detail = Detail.OWN_CONTENT if _JSON.search(error.message) else Detail.OWN_SCRIPT
    elif parties == {Party.THIRD_PARTY} and incident.kind is StepErrorKind.SCRIPT:
        detail = Detail.TP_SCRIPT
    else:
        theirs = Detail.TP_CONTENT if owner.party is Party.OWN else Detail.TP_SCRIPT
        return Finding(
            detail=Detail.UND_INSUFFICIENT,
            confidence=Confidence.NONE,
            because=f"{incident.scene} {words}; a run without third parties would tell whose it is.",
            evidence=(words,),
            alternatives=(
                alternative(theirs, "a vendor's code may be missing or wrong"),
                alternative(Detail.OWN_SCRIPT, "our own code may be wrong"),
            ),
        )
    return Finding(
        detail=detail,
        because=f"{incident.scene} {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
    )


def _malformed_data(incident: Incident, error: PageError) -> Finding | None:
    """An exception of a promise has no stack; that it is about JSON is enough where all data of the page is our own."""
    data = [x for x in incident.exchanges if x.resource in _DATA and not incident.owner(x).beside]
    own = [x for x in data if incident.owner(x).party is Party.OWN]
    if not _JSON.search(error.message) or not own or len(own) < len(data):
        return None
    owner = incident.owner(own[-1])
    words = f'the page could not read the data it was sent ("{error.message}")'
    return Finding(
        detail=Detail.OWN_CONTENT,
        because=f"{incident.scene} {words}, and all of it came from {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(x.id for x in own),
    )


def _vendor_may_be_behind(incident: Incident, error: PageError) -> bool:
    foreign = [x for x in incident.exchanges if incident.owner(x).party is Party.THIRD_PARTY]
    if any((is_defect(x) or is_hollow(x)) and x.resource in _CODE | _DATA for x in foreign):
        return True
    if _MISSING_NAME.search(error.message):
        return any(x.resource in _CODE for x in foreign)
    return bool(_JSON.search(error.message)) and any(x.resource in _DATA for x in foreign)


def absent_though_all_is_well(incident: Incident) -> Finding | None:
    """R11: what the step looked for is not there, and nothing at all went wrong: the page or the journey changed."""
    if incident.kind not in _ABSENT or incident.needed or incident.suspects:
        return None
    loud = any(line.level is ConsoleLevel.ERROR for line in incident.evidence.console)
    sockets = any(socket.error for socket in incident.evidence.websockets)
    hollow = any(is_hollow(x) and x.resource in _CODE for x in incident.exchanges)
    if loud or sockets or hollow or incident.evidence.page_errors or not incident.exchanges:
        return None
    capability = incident.step.capability if incident.step else None
    behind = f", or {capability} behind it did not do its part" if capability else ""
    return _changed(incident, "what the journey looks for is not there, though every request succeeded", behind)


def _changed(incident: Incident, words: str, behind: str = "") -> Finding:
    error = incident.step.error if incident.step else None
    seen = error.message if error else ""
    foreign = any(x.resource == "script" and incident.owner(x).party is Party.THIRD_PARTY for x in incident.exchanges)
    return Finding(
        detail=Detail.UND_SCRIPT_OR_APP_CHANGE,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}; compare the page with the journey: one of them has changed{behind}.",
        evidence=tuple(line for line in (words, seen) if line),
        alternatives=(
            alternative(Detail.OWN_CONTENT, "the page may have lost what customers need"),
            *([alternative(Detail.TP_SCRIPT, "a vendor's script may have changed the page")] if foreign else []),
        ),
    )


def socket_failed(incident: Incident) -> Finding | None:
    """R08: a WebSocket of the failing step could not be opened; browsers report no failed request for it."""
    step = incident.step.name if incident.step else ""
    failed = next((s for s in incident.evidence.websockets if s.error and s.step in ("", step)), None)
    if failed is None or incident.needed or incident.suspects:
        return None
    owner = incident.context.owners.owner_of(failed.url or failed.host)
    if owner.party is not Party.OWN:
        return None
    words = f"the WebSocket to {failed.host} failed ({failed.error})"
    return Finding(
        detail=Detail.OWN_CONNECT,
        because=f"{incident.scene} {words}; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
    )


RULES = (
    Rule(id="R11", decide=ambiguous),
    Rule(id="R10", decide=click_intercepted),
    Rule(id="R09", decide=exception_thrown),
    Rule(id="R08", decide=socket_failed),
    Rule(id="R11", decide=absent_though_all_is_well),
)
