"""R09: exceptions that no code of the page caught, blamed only where one side alone can have caused them."""

from __future__ import annotations

from monitor.diagnosis.compared import code_changed, differences, is_comparable, size_of
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.mechanisms import is_defect, is_hollow
from monitor.diagnosis.rules.supplied import failed_on_what_was_sent, others_changed, others_defect
from monitor.diagnosis.rules.unreadable import JSON, MISSING_NAME, page_for_data, unreadable_script
from monitor.diagnosis.scripts import chain_of, errors_in_force
from monitor.diagnosis.trials import reference_profile
from monitor.domain.cause import Confidence, Detail, Party
from monitor.domain.evidence import PageError, StepErrorKind
from monitor.domain.reference import DifferenceKind

_CODE = frozenset({"script", "stylesheet"})
_DATA = frozenset({"xhr", "fetch"})


def exception_thrown(incident: Incident) -> Finding | None:
    """R09: an exception nobody caught: what differs from the last good run tells more than who threw it."""
    errors = errors_in_force(incident)
    if not errors or incident.needed:
        return None
    error = next((each for each in errors if each.frames), errors[0])
    limited = _client_is_limited(incident, error)
    if limited is not None:
        return limited
    if not error.frames:
        return (
            page_for_data(incident, error)
            or _malformed_data(incident, error)
            or failed_on_what_was_sent(incident, error)
        )
    return (
        unreadable_script(incident)
        or page_for_data(incident, error)
        or _library_lost(incident, error)
        or _left_out(incident, error)
        or _data_changed(incident, error)
        or failed_on_what_was_sent(incident, error)
        or _changed_side(incident, error)
        or _by_frames(incident, error)
    )


def _client_is_limited(incident: Incident, error: PageError) -> Finding | None:
    """Of a client that is not supported, or keeps no storage, an exception of ours says little by itself."""
    profile = incident.context.check.profile
    if (profile.supported and profile.third_party_storage) or reference_profile(incident) is not None:
        return None
    if is_comparable(incident):
        # As this very client it passed before, so that something else has changed since.
        return None
    if error.frames and _party_of(incident, error) is not Party.OWN:
        return None
    words = f'the page threw "{error.message}"'
    others = (
        alternative(Detail.CLIENT_BROWSER, "if an ordinary client gets through"),
        alternative(Detail.OWN_SCRIPT, "if it does not"),
    )
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {words}, in a client that is not served like others; the same journey with the "
        "reference profile would tell whether that is why.",
        evidence=(words,),
        alternatives=others,
    )


def _library_lost(incident: Incident, error: PageError) -> Finding | None:
    """Our own code misses a name, and just one vendor's script came with nothing in it, or with less than before."""
    if _party_of(incident, error) is not Party.OWN or not MISSING_NAME.search(error.message):
        return None
    if _own_code_changed(incident):
        return None
    hosts = _emptied(incident) or _replaced(incident)
    if len(hosts) != 1:
        return None
    (host,) = hosts
    owner = incident.context.owners.owner_of(host)
    words = f'the script of {host} is not what it was, and our own code threw "{error.message}"'
    return Finding(
        detail=Detail.TP_CONTENT,
        families=frozenset({Family.CODES, Family.COMPARISON} if is_comparable(incident) else {Family.CODES}),
        because=f"{incident.scene} {words}; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(x.id for x in incident.exchanges if x.host == host and x.resource == "script")[:1],
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may have lost the name"),),
    )


def _left_out(incident: Incident, error: PageError) -> Finding | None:
    """Our own code misses a name, and our page, which changed, asks no more for a vendor's script that it asked for."""
    if _party_of(incident, error) is not Party.OWN or not MISSING_NAME.search(error.message):
        return None
    pages, owner_of = _own_pages(incident), incident.context.owners.owner_of
    left_out = [e for e in differences(incident) if e.kind is DifferenceKind.MISSING and e.resource == "script"]
    theirs = [e for e in left_out if owner_of(e.url).party is Party.THIRD_PARTY and not owner_of(e.url).beside]
    # A vendor's script may have loaded it, too: only where none of those changed is it our page that left it out.
    if not pages or len({e.host for e in theirs}) != 1 or code_changed(incident, Party.THIRD_PARTY):
        return None
    owner = owner_of(pages[0])
    lost = f"our page changed and asks no more for the script of {theirs[0].host}"
    words = f'{lost}, and our own code threw "{error.message}"'
    return Finding(
        detail=Detail.OWN_CONTENT,
        families=frozenset({Family.COMPARISON}),
        because=f"{incident.scene} {words}; the page belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(x.id for x in incident.exchanges if x.url == pages[0])[:1],
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may have lost the name"),),
    )


def _data_changed(incident: Incident, error: PageError) -> Finding | None:
    """Our own code cannot read data, and of all data only that of one own address differs from the last good run."""
    if _party_of(incident, error) is not Party.OWN or not JSON.search(error.message) or _own_code_changed(incident):
        return None
    data = [e for e in differences(incident) if e.resource in _DATA and e.kind is DifferenceKind.CONTENT]
    owners = [incident.context.owners.owner_of(each.url) for each in data]
    if len({each.url for each in data}) != 1 or owners[0].party is not Party.OWN:
        return None
    words = f'{data[0].host} sends other data than in the last good run, and our own code threw "{error.message}"'
    return Finding(
        detail=Detail.OWN_CONTENT,
        families=frozenset({Family.CODES, Family.COMPARISON}),
        because=f"{incident.scene} {words}; it belongs to {owners[0].title}.",
        culprit=incident.culprit(owners[0]),
        evidence=(words, owners[0].because),
        exchanges=tuple(x.id for x in incident.exchanges if x.url == data[0].url)[:1],
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may not take what it should"),),
    )


def _emptied(incident: Incident) -> set[str]:
    """Return vendors whose scripts came with nothing in them."""
    scripts = (x for x in incident.exchanges if x.resource == "script" and is_hollow(x))
    return {x.host for x in scripts if incident.owner(x).party is Party.THIRD_PARTY and not incident.owner(x).beside}


def _replaced(incident: Incident) -> set[str]:
    """Return vendors whose scripts have another content, where nobody else's code does."""
    vendors = code_changed(incident, Party.THIRD_PARTY)
    return {e.host for e in vendors if e.kind is DifferenceKind.CONTENT and size_of(e.after) is not None}


def _own_code_changed(incident: Incident) -> bool:
    return bool(code_changed(incident, Party.OWN))


def _changed_side(incident: Incident, error: PageError) -> Finding | None:
    """Only one side's code differs from the last good run, and it is the side that threw."""
    if not is_comparable(incident) or others_defect(incident):
        return None
    own, theirs = code_changed(incident, Party.OWN), code_changed(incident, Party.THIRD_PARTY)
    owner = incident.context.owners.owner_of(error.frames[0])
    changed = {each.host for each in (own if owner.party is Party.OWN else theirs)}
    others = theirs if owner.party is Party.OWN else (*own, *_own_pages(incident))
    if others or owner.host not in changed:
        return None
    detail = Detail.OWN_SCRIPT if owner.party is Party.OWN else Detail.TP_SCRIPT
    via = chain_of(incident, owner.host) if owner.party is Party.THIRD_PARTY else ()
    loaded = f", loaded by {' and '.join(via)}," if via else ""
    words = f'{owner.host}{loaded} threw "{error.message}", and since the last good run only its code changed'
    return Finding(
        detail=detail,
        families=frozenset({Family.CODES, Family.COMPARISON}),
        because=f"{incident.scene} {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
    )


def _own_pages(incident: Incident) -> tuple[str, ...]:
    owner_of = incident.context.owners.owner_of
    kinds = (DifferenceKind.CONTENT, DifferenceKind.STATUS)
    pages = (e for e in differences(incident) if e.resource == "document" and e.kind in kinds)
    return tuple(each.url for each in pages if owner_of(each.url).party is Party.OWN)


def _party_of(incident: Incident, error: PageError) -> Party:
    return incident.context.owners.owner_of(error.frames[0]).party


def _by_frames(incident: Incident, error: PageError) -> Finding:
    """Without a comparison: whose files stand in the stack, where nobody else can be behind it."""
    parties = {incident.context.owners.owner_of(url).party for url in error.frames}
    owner = incident.context.owners.owner_of(error.frames[0])
    words = f'{owner.host} threw "{error.message}"'
    if parties == {Party.OWN} and not _vendor_may_be_behind(incident, error):
        detail = Detail.OWN_CONTENT if JSON.search(error.message) else Detail.OWN_SCRIPT
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
    if not JSON.search(error.message) or not own or len(own) < len(data):
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
    if others_changed(incident):
        return True
    if MISSING_NAME.search(error.message):
        return any(x.resource in _CODE for x in foreign)
    return bool(JSON.search(error.message)) and any(x.resource in _DATA for x in foreign)


RULES = (Rule(id="R09", decide=exception_thrown),)
