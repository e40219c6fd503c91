"""Rank 4: what other resolvers say of a name that ours did not resolve."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, detail_for, mechanism_of
from monitor.diagnosis.names_asked import is_authority, is_unchecked, is_usual
from monitor.diagnosis.trials import Layer, diverse, looks, reprobes, world_answers
from monitor.diagnosis.wording import happening
from monitor.domain.cause import Confidence, Detail
from monitor.domain.diagnosis import Alternative
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure

_NAMES = frozenset({Mechanism.NAME, Mechanism.RESOLVER})
_DENIALS = frozenset({Failure.DNS_NAME_NOT_RESOLVED, Failure.DNS_NO_ADDRESS, Failure.DNS_CNAME_LOOP})
# RFC 8914: signatures and keys of the zone (6 to 12); nobody who answers for it (22); the resolver's own policy.
_SIGNATURES = frozenset(range(6, 13))
_NO_AUTHORITY = 22
# By this name our own resolver goes where the profile sets none.
_SYSTEM = "system"
# What stands in place of a server where a file of the system knew the name.
_HOSTS_FILE = "hosts_file"
_POLICIES = frozenset({4, 15, 16, 17, 18})
_LED_ASTRAY = frozenset({Mechanism.REFUSED, Mechanism.PATH, Mechanism.UNREACHABLE, Mechanism.TLS})
_MENDED = "the name is known as soon as signatures are left unchecked"
_CODE = re.compile(r"\d+")


class _Says(Enum):
    ANSWERS = auto()
    DENIES = auto()
    FAILS = auto()
    SILENT = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Triangle:
    """Our resolver's answer, those of the others, and that of the zone itself, for one name.

    Attributes:
        zone: What one of the zone's own servers says; nothing where none was found or reached.
        mended: Whether a resolver that answered SERVFAIL answers once it leaves signatures unchecked.
        broken: Whether one answered SERVFAIL even so.
    """

    failed: Exchange
    ours: _Says
    others: tuple[_Says, ...]
    codes: tuple[int, ...]
    our_codes: tuple[int, ...]
    words: str
    zone: _Says | None = None
    mended: bool = False
    broken: bool = False


def resolvers_compared(incident: Incident) -> Finding | None:
    """R04: all resolvers agree, so the zone is at fault; or only ours fails, so ours is."""
    failed = next((x for x in incident.needed if mechanism_of(x) in _NAMES), None)
    if failed is None:
        return None
    seen = _triangle(incident, failed)
    return _by_its_own_words(incident, seen) or _by_signatures(incident, seen) or _by_agreement(incident, seen)


def _by_its_own_words(incident: Incident, seen: _Triangle) -> Finding | None:
    if _POLICIES & set(seen.our_codes):
        return _resolver(incident, seen, "our resolver says itself that it filters this name")
    if _SIGNATURES & set(seen.codes):
        why = "a resolver says that the zone's signatures are wrong"
        found = _zone(incident, seen, f"{why}, and {_MENDED}" if seen.mended else why)
        return replace(found, confidence=Confidence.CONFIRMED) if found and _is_proven(seen) else found
    return None


def _by_signatures(incident: Incident, seen: _Triangle) -> Finding | None:
    """A name that is known as soon as nobody checks its signatures is signed wrongly, and its zone is at fault."""
    if not _is_proven(seen):
        return None
    found = _zone(incident, seen, f"{_MENDED}: its signatures are wrong")
    if found is None or {_Says.DENIES, _Says.FAILS} & set(seen.others):
        return replace(found, confidence=Confidence.CONFIRMED) if found else None
    # A single resolver may check signatures with a wrong clock or key of its own; the controls have to speak for it.
    other = alternative(Detail.CLIENT_DNS, "if a second resolver that checks signatures answers")
    return replace(found, families=frozenset({Family.RESOLVER}), alternatives=(other,))


def _is_proven(seen: _Triangle) -> bool:
    """Say whether leaving signatures unchecked mended it, and no resolver answers without that."""
    return seen.mended and _Says.ANSWERS not in seen.others


def _by_agreement(incident: Incident, seen: _Triangle) -> Finding | None:
    denied = bool({_Says.DENIES, _Says.FAILS} & set(seen.others))
    if _Says.ANSWERS in seen.others or (seen.zone is _Says.ANSWERS and not denied):
        return _ours_only(incident, seen)
    if seen.zone in _OWN_SERVER:
        return _zone(incident, seen, _OWN_SERVER[seen.zone])
    if denied:
        return _zone(incident, seen, "another resolver does not know it either")
    if not seen.others:
        return _no_authority(incident, seen)
    if world_answers(incident):
        return _zone(incident, seen, "no resolver gets an answer, though other names resolve")
    return None


def _no_authority(incident: Incident, seen: _Triangle) -> Finding | None:
    if _NO_AUTHORITY in seen.codes:
        return _zone(incident, seen, "the resolver says that nobody answers for the zone")
    return None


def _ours_only(incident: Incident, seen: _Triangle) -> Finding:
    answers = _Says.ANSWERS in seen.others
    why = "another resolver knows the name" if answers else "the zone's own server knows the name"
    if seen.ours in (_Says.DENIES, _Says.SILENT):
        found = _resolver(incident, seen, why)
        # The zone may have several servers, and ours may have met the one that is silent or was left behind.
        zone = detail_for(incident.owner(seen.failed).party, Mechanism.NAME) or Detail.UND_INSUFFICIENT
        doubt = alternative(zone, "if some of the zone's servers are silent, or were left behind")
        return found if _fails_others(incident) else _less_sure(found, doubt)
    if seen.ours is _Says.FAILS and seen.broken:
        found = _resolver(incident, seen, f"{why}, and it fails even where signatures are left unchecked")
        # The zone may have several servers, and ours may have met the one that is broken.
        sure = answers and seen.zone is _Says.ANSWERS
        return found if sure else _less_sure(found)
    owner = incident.owner(seen.failed)
    zone = detail_for(owner.party, Mechanism.NAME) or Detail.UND_INSUFFICIENT
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(seen.failed)}, while {why}; "
        "the zone's signatures or our resolver may be at fault, and a resolver that checks signatures would tell.",
        evidence=(happening(seen.failed), seen.words),
        exchanges=(seen.failed.id,),
        alternatives=(
            alternative(zone, "if a second resolver that checks signatures fails too"),
            alternative(Detail.CLIENT_DNS, "if it answers"),
        ),
    )


def _fails_others(incident: Incident) -> bool:
    """Say whether a name of some other domain could not be found out either."""
    return any(control.layer is Layer.DNS for control in diverse(incident))


def _less_sure(found: Finding, *others: Alternative) -> Finding:
    return replace(found, families=frozenset({Family.RESOLVER}), alternatives=(*others, *found.alternatives))


def _triangle(incident: Incident, failed: Exchange) -> _Triangle:
    every = looks(incident, ExperimentKind.RESOLVER, failed.host)
    ours = incident.context.check.profile.resolver or _SYSTEM
    usual = [look for look in every if is_usual(look.by)]
    others = [look for look in usual if look.by != ours]
    unchecked = [look.exchanges[-1] for look in every if is_unchecked(look.by)]
    own_socket = [*(look.exchanges[-1] for look in usual if look.by == ours), *reprobes(incident, failed.host)]
    said = next((x for x in own_socket if mechanism_of(x) in _NAMES), failed)
    ends = [look.exchanges[-1] for look in others]
    return _Triangle(
        failed=failed,
        ours=_say(said),
        others=tuple(_say(end) for end in ends),
        codes=tuple(_codes([failed, *own_socket, *ends])),
        our_codes=tuple(_codes([failed, *own_socket])),
        words="; ".join(f"the resolver {look.by} {_WORDS[_say(look.exchanges[-1])]}" for look in others),
        zone=next((_of_zone(look.exchanges[-1]) for look in every if is_authority(look.by)), None),
        mended=any(_say(end) is _Says.ANSWERS for end in unchecked),
        broken=any(_say(end) is _Says.FAILS for end in unchecked),
    )


def _of_zone(exchange: Exchange) -> _Says | None:
    """Return what a zone's own server says; that it does not answer may be the way to it, and says nothing."""
    said = _say(exchange)
    return None if said in (_Says.SILENT, _Says.UNCLEAR) else said


def _say(exchange: Exchange) -> _Says:
    mechanism = mechanism_of(exchange)
    if mechanism not in _NAMES:
        return _Says.ANSWERS
    if exchange.resource != "http":
        # A browser has one word for every fault of a name.
        return _Says.UNCLEAR
    if exchange.failure in _DENIALS:
        return _Says.DENIES
    return _Says.FAILS if exchange.failure is Failure.DNS_SERVER_FAILURE else _Says.SILENT


_WORDS = {
    _Says.ANSWERS: "knows the name",
    _Says.DENIES: "says that there is no such name",
    _Says.FAILS: "answers SERVFAIL",
    _Says.SILENT: "did not answer",
    _Says.UNCLEAR: "failed",
}


_OWN_SERVER = {
    _Says.DENIES: "the zone's own server says that there is no such name",
    _Says.FAILS: "the zone's own server answers SERVFAIL",
}


def _codes(exchanges: Iterable[Exchange]) -> Iterable[int]:
    for exchange in exchanges:
        for error in exchange.dns.errors if exchange.dns else ():
            code = _CODE.match(error)
            if code:
                yield int(code[0])


def _resolver(incident: Incident, seen: _Triangle, why: str) -> Finding:
    part = "the client's resolver"
    return Finding(
        detail=Detail.CLIENT_DNS,
        families=frozenset({Family.CODES, Family.RESOLVER}),
        because=f"{incident.scene} {happening(seen.failed)}; {why}, so {part} is at fault.",
        culprit=environment(part),
        evidence=tuple(line for line in (happening(seen.failed), why, seen.words) if line),
        exchanges=(seen.failed.id,),
    )


def _zone(incident: Incident, seen: _Triangle, why: str) -> Finding | None:
    owner = incident.owner(seen.failed)
    detail = detail_for(owner.party, Mechanism.NAME)
    if detail is None or owner.operator is not None:
        return None
    return Finding(
        detail=detail,
        families=frozenset({Family.CODES, Family.RESOLVER}),
        because=f"{incident.scene} {happening(seen.failed)}; {why}, so the zone is at fault ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=tuple(line for line in (happening(seen.failed), why, seen.words, owner.because) if line),
        exchanges=(seen.failed.id,),
    )


def misled(incident: Incident) -> Finding | None:
    """R04: our resolver sends us to an address that does not answer, while several others agree on one that does."""
    failed = next((x for x in incident.needed if mechanism_of(x) in _LED_ASTRAY), None)
    if failed is None or incident.context.owners.origin_of(failed.host) is not None:
        return None
    well = answers_at_another_address(incident, failed)
    if not well:
        return None
    words = "other resolvers give another address for it, and there it answers"
    if any(is_authority(e.by) for e in _giving_addresses(incident, failed.host)):
        words = "other resolvers and the zone's own server give another address for it, and there it answers"
    agree = len(well) > 1 and len({frozenset(_addresses([x])) for x in well}) == 1
    part = "the client's resolver"
    if _by_hosts_file(incident, failed.host):
        part = "the client's own list of hosts"
        words = f"here a file of the system says where it is, and {words}"
        agree = True
    elif any(_is_nowhere(each) for each in _addresses([*reprobes(incident, failed.host), failed])):
        words = f"our resolver gives an address that is nobody's, as filters do, and {words}"
        agree = True
    if agree:
        return Finding(
            detail=Detail.CLIENT_DNS,
            families=frozenset({Family.RESOLVER}),
            because=f"{incident.scene} {happening(failed)}; {words}, so {part} is at fault.",
            culprit=environment(part),
            evidence=(happening(failed), words),
            exchanges=(failed.id,),
            alternatives=(alternative(Detail.UND_PATH, "if the name has several places, and ours is broken"),),
        )
    theirs = detail_for(incident.owner(failed).party, mechanism_of(failed)) or Detail.UND_INSUFFICIENT
    return Finding(
        detail=Detail.UND_PATH,
        confidence=Confidence.NONE,
        because=f"{incident.scene} {happening(failed)}; {words}: {part} may be wrong, or the place that it gives us.",
        evidence=(happening(failed), words),
        exchanges=(failed.id,),
        alternatives=(alternative(Detail.CLIENT_DNS, "if the address is nobody's"), alternative(theirs, "if it is")),
    )


def answers_at_another_address(incident: Incident, failed: Exchange) -> tuple[Exchange, ...]:
    """Return how a host answered where each other resolver sends us, if all send us elsewhere than ours; else none."""
    ours = incident.context.check.profile.resolver or _SYSTEM
    every = _giving_addresses(incident, failed.host)
    here = _addresses([*(e.exchanges[-1] for e in every if e.by == ours), failed])
    others = [e.exchanges[-1] for e in every if e.by != ours]
    well = tuple(x for x in others if x.status is not None and not _addresses([x]) & here)
    return well if here and len(well) == len(others) else ()


def _giving_addresses(incident: Incident, host: str) -> list[Experiment]:
    return [e for e in looks(incident, ExperimentKind.RESOLVER, host) if _gives_addresses(e)]


def _is_nowhere(address: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(address).is_unspecified
    return False


def _by_hosts_file(incident: Incident, host: str) -> bool:
    """Say whether no resolver was asked at all here: a file of the system says where the host is."""
    ours = incident.context.check.profile.resolver or _SYSTEM
    ends = [e.exchanges[-1] for e in looks(incident, ExperimentKind.RESOLVER, host) if e.by == ours]
    return any(x.dns is not None and x.dns.server == _HOSTS_FILE for x in (*ends, *reprobes(incident, host)))


def _gives_addresses(look: Experiment) -> bool:
    """Say whether a look tells where a client is sent; where the way to a zone's own server is shut, nothing does."""
    shut = is_authority(look.by) and _of_zone(look.exchanges[-1]) is None
    return not shut and not is_unchecked(look.by)


def _addresses(exchanges: Iterable[Exchange]) -> set[str]:
    found: set[str] = set()
    for exchange in exchanges:
        found |= {exchange.address} if exchange.address else set()
        found |= set(exchange.dns.addresses) if exchange.dns else set()
    return found


RULES = (Rule(id="R04", decide=resolvers_compared),)
MISLED = (Rule(id="R04", decide=misled),)
