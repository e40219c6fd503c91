"""Rank 4: sites that have nothing to do with the target failed in the same minute and in the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from monitor.diagnosis.edges import edges_named
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.rules.resolution import answers_at_another_address
from monitor.diagnosis.trials import (
    LAYERS,
    Control,
    Layer,
    clock_skew,
    controls,
    diverse,
    elsewhere,
    failed_together,
    fails_alike_there,
    is_majority,
    is_own,
    issuers,
    layer_of,
    looks,
    passed,
    portal_of,
    target_exchanges,
    valid_at,
)
from monitor.diagnosis.wording import happening, listed
from monitor.domain.cause import Detail, Party
from monitor.domain.diagnosis import Culprit, CulpritKind
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure, Phase

CLOCK_LIMIT = 300.0
DATES = frozenset({Failure.TLS_CERT_EXPIRED, Failure.TLS_CERT_NOT_YET_VALID, Failure.TLS_CERT_DATE_INVALID})
ISSUERS = frozenset(
    {Failure.TLS_CERT_AUTHORITY_INVALID, Failure.TLS_CERT_INCOMPLETE_CHAIN, Failure.TLS_CERT_SELF_SIGNED}
)
_PARTS = {
    Layer.DNS: (Detail.CLIENT_DNS, "the client's resolver"),
    Layer.CONNECT: (Detail.CLIENT_NETWORK, "the client's network"),
    Layer.PROXY: (Detail.CLIENT_PROXY, "the client's proxy"),
    Layer.TLS: (Detail.CLIENT_NETWORK, "something in the client's network that breaks TLS"),
}
_NO_ROUTE = re.compile(r"ENETUNREACH|network is unreachable|no route to host", re.IGNORECASE)
_BY_PROXY = frozenset({407, 502, 503, 504})
_TO_CONNECT = frozenset(mechanism for mechanism, layer in LAYERS.items() if layer is Layer.CONNECT)
_LEGAL = 451
_CAPTIVE = 511
_SERVER_ERROR = 500


def captive_portal(incident: Incident) -> Finding | None:
    """R02: somebody else answered in the place of the controls, or shows one certificate for every name."""
    portal = portal_of(incident)
    if portal is not None and not _spoke_for_itself(incident):
        words = f"{portal} answered in the place of the controls"
        return _client(incident, Detail.CLIENT_NETWORK, "a gateway that answers for every host", words)
    target = _target(incident)
    names = [c for c in controls(incident) if c.exchange.failure is Failure.TLS_CERT_NAME_INVALID]
    everywhere = is_majority(len(names), len(controls(incident)))
    if target is None or target.failure is not Failure.TLS_CERT_NAME_INVALID or not everywhere:
        return None
    if _someone_answered_since(incident, target, Layer.TLS):
        return None
    words = f"{_list(names)} show a certificate for another name too"
    found = _client(incident, Detail.CLIENT_NETWORK, "a gateway that answers for every host", words)
    if not answers_at_another_address(incident, target):
        return found
    # Gateways often answer for every host by the resolver that they hand out, and let others be asked.
    lies = alternative(Detail.CLIENT_DNS, "another resolver gives another address, where it answers")
    return replace(found, alternatives=(lies,))


def _spoke_for_itself(incident: Incident) -> bool:
    """Say whether the target itself answered, over TLS that a gateway could not have made; 511 is a gateway's word."""
    target = _target(incident)
    if target is None or target.status in (None, _CAPTIVE):
        return False
    return target.url.startswith("https:") and target.failure in (None, Failure.HTTP_ERROR)


def wrong_clock(incident: Incident) -> Finding | None:
    """R02: certificates are out of date on the controls too, or our clock is far from the controls' clocks."""
    target = _target(incident)
    if target is None or target.failure not in DATES:
        return None
    skew = clock_skew(incident)
    dated = [c for c in diverse(incident) if c.exchange.failure in DATES]
    if skew is not None and abs(skew) > CLOCK_LIMIT and valid_at(incident, target, skew) is not False:
        words = f"our clock is {abs(skew) / 60:.0f} minutes away from those of the controls"
    elif is_majority(len(dated), len(diverse(incident))):
        words = f"{_list(dated)} show certificates that are out of date too"
    else:
        return None
    return _client(incident, Detail.CLIENT_CLOCK, "the client's clock", words)


def intercepted(incident: Incident) -> Finding | None:
    """R02: the controls show certificates of the same issuer that nobody trusts."""
    target = _target(incident)
    if target is None or target.failure not in ISSUERS:
        return None
    alike = [c for c in controls(incident) if c.exchange.failure in ISSUERS]
    if not is_majority(len(alike), len(controls(incident))):
        return None
    signed = issuers([target, *(c.exchange for c in alike)])
    if len(signed) > 1:
        return None
    by = f", all signed by {next(iter(signed))}" if signed else ""
    words = f"{_list(alike)} show certificates of an issuer that is not trusted{by}"
    return _client(incident, Detail.CLIENT_TLS_INTERCEPTION, "something that intercepts TLS", words)


def controls_failed(incident: Incident) -> Finding | None:
    """R02: most of the diverse controls failed in the layer in which the target failed."""
    alike = failed_together(incident)
    target = _target(incident)
    if not alike or target is None or not _compatible(incident, target, alike[0].layer):
        return None
    if _someone_answered_since(incident, target, alike[0].layer) or _fails_elsewhere(incident, target):
        return None
    if alike[0].layer is Layer.CONNECT and not _in_one_manner(target, alike):
        return None
    detail, part = _PARTS[alike[0].layer]
    if alike[0].layer is Layer.TLS and {c.exchange.failure for c in alike} | {target.failure} <= ISSUERS:
        detail, part = Detail.CLIENT_BROWSER, "the client's list of trusted issuers"
    if alike[0].layer is Layer.DNS and any(_NO_ROUTE.search(x.failure_text) for x in (target, alike[0].exchange)):
        detail, part = _PARTS[Layer.CONNECT]
    if alike[0].layer is Layer.CONNECT and incident.context.check.profile.proxy and _direct_passes(incident, target):
        detail, part = _PARTS[Layer.PROXY]
    words = f"{_list(alike)} failed in the same way in the same minute"
    return _client(incident, detail, part, words)


def blocked_by_law(incident: Incident) -> Finding | None:
    """R02: unrelated sites are refused for legal reasons too."""
    target = _target(incident)
    alike = [c for c in diverse(incident) if c.exchange.status == _LEGAL]
    if target is None or target.status != _LEGAL or not is_majority(len(alike), len(diverse(incident))):
        return None
    words = f"{_list(alike)} answered 451 too"
    return _client(incident, Detail.CLIENT_ACCESS_POLICY, "a legal block on the way", words)


def provider_failed(incident: Incident) -> Finding | None:
    """R02: only controls that stand with the target's provider failed as it did, so the provider failed."""
    target = _target(incident)
    # Hosts of ours fail together for reasons of our own.
    sharing = [c for c in controls(incident) if c.shares and not is_own(incident, c)]
    if target is None or any(not _well(c) for c in diverse(incident)) or _origin_failed(incident, target):
        return None
    alike = [c for c in sharing if not _well(c) and c.layer is layer_of(target)]
    if not is_majority(len(alike), len(sharing)):
        return None
    edges = edges_named([*target_exchanges(incident), *(c.exchange for c in alike)], incident.context.owners)
    own = incident.owner(target).party is Party.OWN
    edge = next(iter(sorted(edges)), "")
    in_front = own and (bool(edge) or incident.context.owners.origin_of(target.host) is not None)
    words = f"{_list(alike)}, which stand with the same provider, failed in the same way"
    name = edge or "the common provider"
    return Finding(
        detail=Detail.TP_EDGE if in_front else Detail.TP_PROVIDER,
        families=frozenset({Family.CODES, Family.CONTROLS}),
        because=f"{incident.scene} {happening(target)}; {words}, so {name} is at fault.",
        culprit=Culprit(kind=CulpritKind.VENDOR, name=name, host=target.host),
        evidence=(happening(target), words),
        exchanges=(target.id,),
        alternatives=(alternative(Detail.CLIENT_NETWORK, "if controls of other providers fail too"),),
    )


def _well(control: Control) -> bool:
    status = control.exchange.status
    return status is not None and status < _SERVER_ERROR


def _origin_failed(incident: Incident, target: Exchange) -> bool:
    return any(not passed(look) for look in looks(incident, ExperimentKind.ORIGIN, target.host))


def _target(incident: Incident) -> Exchange | None:
    """Return what failed at the target, or else the first thing that failed before anybody answered."""
    if incident.needed:
        return incident.needed[0]
    return next((x for x in incident.suspects if layer_of(x) not in (Layer.HTTP, Layer.ANSWERED)), None)


def _compatible(incident: Incident, target: Exchange, layer: Layer) -> bool:
    """Say whether what broke the controls can have broken the target: a host that spoke for itself was reached."""
    if incident.context.check.profile.proxy is not None and target.status in _BY_PROXY:
        return True
    # What is open without an answer may hang in any layer: the line may have dropped after it was sent.
    unknown = target.pending and target.status is None
    return unknown or layer_of(target) is layer


def _someone_answered_since(incident: Incident, target: Exchange, layer: Layer) -> bool:
    """Say whether a host of another domain got through that layer after the target had failed.

    Then controls that failed tell of themselves: a monitor may be let out to the site alone, and not to them.
    """
    domain_of = incident.context.owners.domain_of
    since = (x for x in incident.exchanges if _is_later(x, target) and _came_over_the_line(x))
    others = (x for x in since if domain_of(x.host) != domain_of(target.host))
    match layer:
        case Layer.CONNECT:
            return any(others)
        case Layer.DNS | Layer.TLS:
            phase = Phase.RESOLVE if layer is Layer.DNS else Phase.TLS
            return any(x.timings.of(phase) is not None for x in others)
    return False


def _fails_elsewhere(incident: Incident, target: Exchange) -> bool:
    """Say whether another place could not reach the host either, so that controls may fail for reasons of their own.

    A monitor that is let out to its own site alone sees its controls fail for ever. A certificate that the controls
    show is another matter: places of one company may have one proxy, and one list of issuers.
    """
    if layer_of(target) not in (Layer.DNS, Layer.CONNECT):
        return False
    places = (look for look in elsewhere(incident, target.host) if not passed(look))
    return any(fails_alike_there(target, look) for look in places)


def _in_one_manner(target: Exchange, alike: Sequence[Control]) -> bool:
    """Say whether the controls failed to connect as the target did: silence and a refusal have not one cause."""
    manner = mechanism_of(target)
    active = {Mechanism.REFUSED, Mechanism.BROKEN_OFF}
    seen = {mechanism_of(control.exchange) for control in alike}
    if target.pending or manner not in _TO_CONNECT:
        return True
    return manner in seen if manner in active else bool(seen - active)


def _is_later(exchange: Exchange, target: Exchange) -> bool:
    """Say whether an exchange tells of the line as it was once the target had failed."""
    if mechanism_of(target) is Mechanism.REFUSED:
        # A refusal comes at once, so that it is enough that the answer came after it was asked for.
        return exchange.timings.started + exchange.timings.total >= target.timings.started
    # In a longer wait the line may have dropped after the answer.
    return exchange.timings.started >= target.timings.started + target.timings.total


def _came_over_the_line(exchange: Exchange) -> bool:
    return exchange.status is not None and not exchange.from_cache and not exchange.from_service_worker


def _direct_passes(incident: Incident, target: Exchange) -> bool:
    return any(passed(look) for look in looks(incident, ExperimentKind.DIRECT, target.host))


def _list(some: Sequence[Control]) -> str:
    return listed(sorted(control.host for control in some))


def _client(incident: Incident, detail: Detail, part: str, words: str) -> Finding:
    target = _target(incident)
    seen = (happening(target),) if target is not None else ()
    start = f"{seen[0]}; " if seen else "the page was not the one that was asked for; "
    return Finding(
        detail=detail,
        families=frozenset({Family.CODES, Family.CONTROLS}),
        because=f"{incident.scene} {start}{words}, so {part} is at fault.",
        culprit=environment(part),
        evidence=(*seen, words),
        exchanges=tuple(x.id for x in (target,) if x is not None),
    )


RULES = (
    Rule(id="R02", decide=captive_portal),
    Rule(id="R02", decide=wrong_clock),
    Rule(id="R02", decide=intercepted),
    Rule(id="R02", decide=blocked_by_law),
    Rule(id="R02", decide=controls_failed),
    Rule(id="R02", decide=provider_failed),
)
