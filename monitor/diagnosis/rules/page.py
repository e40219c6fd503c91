"""What the page itself did: something in the way of a click, two elements where one was meant, an exception."""

from __future__ import annotations

import re

from monitor.diagnosis.compared import changed, code_changed, differences, is_comparable, own_changed
from monitor.diagnosis.dependencies import is_navigation
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import is_hollow
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.rules import another_type, away, exceptions, lessened, replaced
from monitor.diagnosis.rules.supplied import sole_supplier
from monitor.diagnosis.scripts import chain_of
from monitor.diagnosis.trials import made, passed, was_cleared
from monitor.diagnosis.wording import listed, where
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import ConsoleLevel, StepError, StepErrorKind, WebSocketFacts
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.reference import DifferenceKind

# Only a frame says by its address whose document lies there; a link or a picture may stand on anybody's page.
_FRAME = re.compile(r"<iframe\b[^>]*\ssrc=[\"'](https?://[^\"']+)", re.IGNORECASE)
_ABSENT = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT})
_CODE = frozenset({"script", "stylesheet"})
_DECORATION = frozenset({"image", "font", "media", "ping", "beacon", "prefetch", "csp_report"})
_DATA = frozenset({"xhr", "fetch"})
_OTHERWISE = frozenset({DifferenceKind.CONTENT, DifferenceKind.STATUS})
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
_WORDS = 100


def click_intercepted(incident: Incident) -> Finding | None:
    """R10: an element lay over the one to be clicked; the scripts that made it, or its frame, tell whose it is."""
    error = incident.step.error if incident.step else None
    if error is None or not (error.kind is StepErrorKind.INTERCEPTED or error.intercepted_by):
        return None
    words = f"{error.intercepted_by or 'another element'} lies over what was to be clicked"
    owner, via = _maker(incident, error)
    if owner is None:
        return _overlay_of_nobody(incident, words)
    by = f", which {' and '.join(via)} loaded" if via else ""
    detail = Detail.OWN_SCRIPT if owner.party is Party.OWN else Detail.TP_SCRIPT
    return Finding(
        detail=detail,
        because=f"{incident.scene} {words}; it comes from {owner.host}{by} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        alternatives=(alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "it may have been put there on purpose"),),
    )


def _maker(incident: Incident, error: StepError) -> tuple[Owner | None, tuple[str, ...]]:
    """Return who made the element in the way, and through whom its script came."""
    owners = incident.context.owners
    frames = _FRAME.findall(error.intercepted_by)
    if frames:
        return owners.owner_of(frames[0]), ()
    pages = {x.url.partition("#")[0] for x in incident.exchanges if x.resource == "document"}
    scripts = [owners.owner_of(url) for url in error.intercepted_stack if url.partition("#")[0] not in pages]
    vendors = [owner for owner in scripts if owner.party is Party.THIRD_PARTY]
    if not scripts:
        return None, ()
    if len(vendors) == len(scripts):
        via = [owner.host for owner in vendors[1:] if owner.host != vendors[0].host]
        return vendors[0], tuple(dict.fromkeys(via)) or chain_of(incident, vendors[0].host)
    # A vendor's library that our own code called did what our own code asked for.
    return (scripts[0], ()) if not vendors else (None, ())


def _overlay_of_nobody(incident: Incident, words: str) -> Finding:
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


def ambiguous(incident: Incident) -> Finding | None:
    """R11: two elements match where the journey means one; the page or the journey has changed."""
    if incident.kind is not StepErrorKind.AMBIGUOUS:
        return None
    return _changed(incident, f"more than one element matches what the journey looks for{_sought(incident)}")


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
    words = f"what the journey looks for{_sought(incident)} is not there, though every request succeeded"
    return _changed(incident, words, behind)


def _sought(incident: Incident) -> str:
    """Return what the journey looked for, as the journey's code calls it, or its own words without what it found."""
    error = incident.step.error if incident.step else None
    expected = error.message.strip().partition("\n")[0].partition(", but ") if error else ("", "", "")
    awaited = (error.awaited or (expected[0] if expected[1] else "")) if error else ""
    shown = awaited if len(awaited) <= _WORDS else f"{awaited[:_WORDS]}…"
    return f" ({shown})" if shown else ""


def _changed(incident: Incident, words: str, behind: str = "") -> Finding:
    error = incident.step.error if incident.step else None
    seen = error.message if error else ""
    vendors = code_changed(incident, Party.THIRD_PARTY)
    if vendors and not own_changed(incident):
        return _vendor_changed(incident, words, sorted({each.host for each in vendors}))
    at = _vendors_page(incident)
    if at is not None:
        return _on_vendors_page(incident, at, words)
    foreign = any(x.resource == "script" and incident.owner(x).party is Party.THIRD_PARTY for x in incident.exchanges)
    supplier = sole_supplier(incident)
    if supplier is not None:
        behind = f"{behind}; beside them only what {supplier.host} sends differs from the last good run"
    return Finding(
        detail=Detail.UND_SCRIPT_OR_APP_CHANGE,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}; compare the page with the journey: one of them has changed{behind}.",
        evidence=tuple(line for line in (words, seen) if line),
        alternatives=(
            *([alternative(Detail.TP_CONTENT, f"{supplier.name} may send something wrong")] if supplier else []),
            alternative(Detail.OWN_CONTENT, "the page may have lost what customers need"),
            *([alternative(Detail.TP_SCRIPT, "a vendor's script may have changed the page")] if foreign else []),
        ),
    )


def _vendors_page(incident: Incident) -> Exchange | None:
    """Return the page that the step went to last, where it is a vendor's."""
    pages = [x for x in incident.exchanges if is_navigation(x, incident.exchanges) and x.status not in _REDIRECTED]
    last = max(pages, key=lambda x: x.timings.started, default=None)
    foreign = last is not None and incident.owner(last).party is Party.THIRD_PARTY
    return last if foreign else None


def _on_vendors_page(incident: Incident, page: Exchange, words: str) -> Finding:
    """What the journey misses is missed on somebody else's page: that may have failed, or look otherwise on purpose."""
    owner = incident.owner(page)
    seen = f"{words}, on {where(page)}, a page of {owner.title}"
    return Finding(
        detail=Detail.UND_SCRIPT_OR_APP_CHANGE,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {seen}; open it by hand: it shows an error, or the journey has to follow it.",
        evidence=(seen,),
        exchanges=(page.id,),
        alternatives=(
            alternative(Detail.TP_CONTENT, f"the page of {owner.name} may have lost what customers need"),
            alternative(Detail.UND_SHARED_RESPONSIBILITY, f"{owner.name} may not take what our page sent along"),
        ),
    )


def _vendor_changed(incident: Incident, words: str, hosts: list[str]) -> Finding:
    """The page and our code are what they were, and just one vendor's code is not: only that can have changed it."""
    named = listed(hosts)
    seen = f"since the last good run no page and no code but that of {named} changed"
    owner = incident.context.owners.owner_of(hosts[0])
    data = [d for d in differences(incident) if d.resource in _DATA and d.kind in _OTHERWISE and d.host not in hosts]
    lasts = any(not passed(rerun) for rerun in made(incident, ExperimentKind.RERUN))
    if len(hosts) == 1 and lasts and not data and not was_cleared(incident, hosts[0]):
        via = chain_of(incident, owner.host)
        loaded = f"; {' and '.join(via)} loaded it" if via else ""
        return Finding(
            detail=Detail.TP_SCRIPT,
            families=frozenset({Family.COMPARISON}),
            because=f"{incident.scene} {words}, and {seen} ({owner.title}){loaded}.",
            culprit=incident.culprit(owner),
            evidence=(words, seen, owner.because),
            alternatives=(alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "the page or the journey may have changed"),),
        )
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}, and {seen}; a run without it would tell whether it is the cause.",
        evidence=(words, seen),
        alternatives=(
            alternative(Detail.TP_SCRIPT, f"{named} may have changed the page"),
            alternative(Detail.UND_SCRIPT_OR_APP_CHANGE, "the page or the journey may have changed"),
        ),
    )


def socket_failed(incident: Incident) -> Finding | None:
    """R08: a WebSocket of ours or of a needed vendor could not be opened; browsers report no failed request for it."""
    others = [x for x in incident.suspects if not incident.owner(x).beside and x.resource not in _DECORATION]
    if incident.needed or others or incident.kind not in _ABSENT | {StepErrorKind.DEADLINE}:
        return None
    for socket in incident.evidence.websockets:
        owner = incident.context.owners.owner_of(socket.url or socket.host)
        failed = f"failed ({socket.error})" if socket.error else _unopened(incident, socket)
        if not failed or not (owner.party is Party.OWN or owner.critical):
            continue
        words = f"the WebSocket to {socket.host} {failed}"
        if incident.context.check.profile.proxy is not None:
            return _socket_through_proxy(incident, owner, words)
        return Finding(
            detail=Detail.OWN_CONNECT if owner.party is Party.OWN else Detail.TP_CONNECT,
            because=f"{incident.scene} {words}; it belongs to {owner.title}.",
            culprit=incident.culprit(owner),
            evidence=(words, owner.because),
        )
    return None


def _unopened(incident: Incident, socket: WebSocketFacts) -> str:
    """Say that a handshake was not answered by the end of the failing step, nor any other one of that host."""
    mine = [each for each in incident.evidence.websockets if each.host == socket.host]
    silent = bool(mine) and all(each.answered is False and not each.frames_received for each in mine)
    asked_now = incident.step is not None and socket.step == incident.step.name
    return "was not opened: the handshake had no answer when the step ended" if silent and asked_now else ""


def _socket_through_proxy(incident: Incident, owner: Owner, words: str) -> Finding:
    """Proxies know requests, and some let no other conversation through: nothing was tried that tells."""
    theirs = Detail.OWN_CONNECT if owner.party is Party.OWN else Detail.TP_CONNECT
    return Finding(
        detail=Detail.UND_PATH,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}; the client's proxy may not let it through, which a run without it tells.",
        evidence=(words, owner.because),
        alternatives=(
            alternative(theirs, f"if it fails without the proxy too ({owner.title})"),
            alternative(Detail.CLIENT_PROXY, "if it does not"),
        ),
    )


def sent_back(incident: Incident) -> Finding | None:
    """R11: own pages send the customer in a circle with nothing but 200 and 302, so the session is not kept."""
    if incident.kind not in _ABSENT or incident.needed:
        return None
    circle = _circle(incident) or _redirected_now(incident)
    if circle is None:
        return None
    owner = incident.owner(circle)
    words = f"{where(circle)} sends the customer back to where they came from"
    return Finding(
        detail=Detail.OWN_CONTENT,
        because=f"{incident.scene} {words}, though nothing fails: the session is not kept ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=(circle.id,),
        alternatives=(alternative(Detail.UND_MONITOR_CONFIG, "the monitor's account may not be let in any more"),),
    )


def _circle(incident: Incident) -> Exchange | None:
    """Return the page in the middle of a chain of redirects that ends where it began, or where the form stood.

    Signing in silently sends around too, and to good purpose: so only after a form, or back to a page that was seen.
    """
    by_id = {x.id: x for x in incident.exchanges}
    for last in incident.exchanges:
        middle = by_id.get(last.redirected_from or "")
        first = by_id.get(middle.redirected_from or "") if middle else None
        if middle is None or first is None or incident.owner(middle).party is not Party.OWN:
            continue
        other = last.resource == "document" and _place(last) != _place(middle)
        round_trip, seen = _place(first) == _place(last), _was_seen(incident, last, before=first)
        known = is_comparable(incident) and not changed(incident, middle)
        if other and not known and (round_trip or seen) and (first.method == "POST" or (round_trip and seen)):
            return middle
    return None


def _redirected_now(incident: Incident) -> Exchange | None:
    """Return an own page that was shown in the last good run and now sends back to a page that was seen before."""
    turned = {
        each.exchange
        for each in differences(incident)
        if each.kind is DifferenceKind.STATUS and each.before == "200" and each.after in _REDIRECTS
    }
    following = {x.redirected_from: x for x in incident.exchanges if x.redirected_from}
    for page in incident.exchanges:
        end = following.get(page.id)
        own = incident.owner(page).party is Party.OWN and page.resource == "document"
        if page.id in turned and own and end is not None and _was_seen(incident, end, before=page):
            return page
    return None


def _was_seen(incident: Incident, page: Exchange, *, before: Exchange) -> bool:
    earlier = incident.exchanges[: incident.exchanges.index(before)]
    return any(_place(x) == _place(page) and x.resource == "document" for x in earlier)


def _place(exchange: Exchange) -> tuple[str, str]:
    return exchange.host, parts_of(exchange.url).path


RULES = (
    Rule(id="R11", decide=ambiguous),
    Rule(id="R10", decide=click_intercepted),
    *another_type.RULES,
    *exceptions.RULES,
    Rule(id="R08", decide=socket_failed),
    Rule(id="R11", decide=sent_back),
    *lessened.RULES,
    *replaced.RULES,
    *away.RULES,
    Rule(id="R11", decide=absent_though_all_is_well),
)
