"""Where the time of a run went, by party, and whose the excess of a slow run is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.diagnosis.client_side import Seen, seen_by_client, states_its_work
from monitor.diagnosis.context import Context
from monitor.diagnosis.critical_path import BETWEEN, SCRIPT, SEQUENCE, most_of, paths_of
from monitor.diagnosis.dependencies import incident_of
from monitor.diagnosis.excess import Excess, excess_of, is_whole_slow, slow_steps
from monitor.diagnosis.incident import Finding, Incident, Rule, alternative, environment
from monitor.diagnosis.owners import Owner
from monitor.diagnosis.polling import asked_in_vain
from monitor.diagnosis.slow_trials import Trials, agreeing_look, trials_of
from monitor.diagnosis.slow_words import NOTHING, doing, opening, shares_in_words
from monitor.diagnosis.spans import Piece
from monitor.domain.cause import Cause, Confidence, Detail, Party
from monitor.domain.diagnosis import Alternative, Culprit, CulpritKind
from monitor.domain.evidence import Evidence, StepErrorKind
from monitor.domain.reference import Part

SHARE = 0.70
_EACH = 0.25
_HALF = 0.5
_WORTH_NAMING = 1.0
_SUSPECTS = 3
_DETAILS = {
    Part.OWN_BACKEND: Detail.OWN_SLOW_BACKEND,
    Part.OWN_FRONTEND: Detail.OWN_SLOW_FRONTEND,
    Part.OWN_DELIVERY: Detail.OWN_SLOW_DELIVERY,
    Part.THIRD_PARTY: Detail.TP_SLOW,
}
PARTY = {
    Part.OWN_BACKEND: Party.OWN,
    Part.OWN_FRONTEND: Party.OWN,
    Part.OWN_DELIVERY: Party.OWN,
    Part.THIRD_PARTY: Party.THIRD_PARTY,
    Part.CLIENT: Party.CLIENT,
}
_OWN = tuple(part for part, party in PARTY.items() if party is Party.OWN)
_OUT_OF_TIME = frozenset({StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE, StepErrorKind.EXPECTATION})


def is_over_budget(incident: Incident) -> bool:
    """Say whether a step or the whole journey took longer than it may and than it usually does."""
    return is_whole_slow(incident) or bool(slow_steps(incident))


def time_by_party(incident: Incident) -> tuple[tuple[str, float], ...]:
    """Return seconds by party along the critical path of the run."""
    total: dict[Party, float] = {}
    if all(exchange.resource == "http" for exchange in incident.exchanges):
        # The requests of an HTTP journey come one after the other; there is nothing to walk.
        for exchange in incident.exchanges:
            if not exchange.pending and exchange.timings.total > 0:
                party = incident.owner(exchange).party
                total[party] = total.get(party, 0.0) + exchange.timings.total
    else:
        for path in paths_of(incident):
            for piece in path.pieces:
                party = PARTY[piece.part]
                total[party] = total.get(party, 0.0) + piece.seconds
    return tuple([(str(party), round(seconds, 4)) for party, seconds in total.items()])


def slow(incident: Incident) -> Finding:
    """R18: the run is over budget; one side is named only if it alone explains most of what was more than usual."""
    excess = excess_of(incident)
    seen = seen_by_client(incident, excess)
    trials = trials_of(incident, seen.excess)
    return _with_trials(incident, seen, trials, _decided(incident, seen))


def too_slow_to_pass(incident: Incident) -> Finding | None:
    """R18 of a step that failed: most of its time went into work or waiting that a usual run does not know."""
    step = incident.step
    if step is None or incident.kind not in _OUT_OF_TIME or incident.needed or incident.evidence.page_errors:
        return None
    excess = excess_of(incident, step)
    seen = seen_by_client(incident, excess)
    part = max(Part, key=seen.excess.of)
    seconds = seen.excess.of(part)
    if seconds < max(_WORTH_NAMING, _HALF * excess.took) or part is Part.CLIENT or seen.doubt:
        return None
    if _is_pause_with_something_open(incident, seen.excess, part):
        return None
    if (vain := asked_in_vain(incident, [piece for piece in seen.excess.pieces if piece.part is part])) is not None:
        return vain
    finding = _named(incident, seen, part)
    trials = trials_of(incident, seen.excess)
    return finding if finding.detail.cause is Cause.UNDETERMINED else _with_trials(incident, seen, trials, finding)


def _is_pause_with_something_open(incident: Incident, excess: Excess, part: Part) -> bool:
    """Say whether all that speaks against a party is a pause in which the page may have waited for what never came."""
    mine = [piece for piece in excess.pieces if piece.part is part]
    paused = sum(piece.seconds for piece in mine if piece.phase == BETWEEN)
    step = incident.step.name if incident.step else ""
    waits = any(x.pending and x.step in ("", step) for x in incident.exchanges)
    return waits and paused >= _HALF * sum(piece.seconds for piece in mine)


LATE = (Rule(id="R18", decide=too_slow_to_pass),)


def slow_suspects(evidence: Evidence, context: Context) -> tuple[str, ...]:
    """Return the hosts whose slowness may explain a slow run, the likeliest first: each is worth a replay at once."""
    if not evidence.attempts:
        return ()
    incident = incident_of(evidence, context)
    excess = excess_of(incident, incident.step)
    by_host: dict[str, float] = {}
    for piece in excess.pieces:
        if piece.phase not in (SEQUENCE, BETWEEN) and excess.of(piece.part) >= _EACH * excess.seconds > 0:
            by_host[piece.owner.host] = by_host.get(piece.owner.host, 0.0) + piece.seconds
    enough = [host for host, seconds in by_host.items() if host and seconds >= _EACH * excess.seconds]
    return tuple(sorted(enough, key=lambda host: -by_host[host])[:_SUSPECTS])


def _decided(incident: Incident, seen: Seen) -> Finding:
    excess = seen.excess
    if seen.doubt:
        return _doubtful(incident, seen)
    part = max(Part, key=excess.of)
    own = excess.of(*_OWN)
    if excess.seconds > 0 and excess.of(part) >= SHARE * excess.seconds:
        return _named(incident, seen, part)
    if excess.seconds > 0 and own >= SHARE * excess.seconds:
        # Whose it is does not depend on which of our own parts took most of it.
        return _named(incident, seen, max(_OWN, key=excess.of))
    sides = [one for one in Part if excess.of(one) >= _EACH * excess.seconds > 0]
    if len({PARTY[one] for one in sides}) > 1:
        return _several(incident, seen, sides)
    return _open(incident, seen)


def _named(incident: Incident, seen: Seen, part: Part) -> Finding:
    excess = seen.excess
    if part is Part.CLIENT:
        return Finding(
            detail=seen.detail,
            because=f"{opening(incident, excess)}; {doing(excess, part, seen)}.",
            culprit=environment("the name server" if seen.detail is Detail.CLIENT_DNS else _CLIENT[seen.detail]),
            evidence=(shares_in_words(excess), *seen.words),
        )
    owner, pieces = most_of(excess.pieces, part)
    if owner is None:
        return _open(incident, seen)
    seconds = excess.of(part)
    statement = states_its_work(excess) if part is Part.OWN_BACKEND else None
    said = (f"{owner.host} itself states that it worked for most of it",) if statement else ()
    return Finding(
        detail=_DETAILS[part],
        confidence=Confidence.CONFIRMED if statement and excess.compared else Confidence.PROBABLE,
        because=f"{opening(incident, excess)}; {seconds:.1f} s of that is {doing(excess, part, seen)}.",
        culprit=_culprit(incident, excess, _page_owner(incident, pieces) or owner),
        evidence=(shares_in_words(excess), *said, *seen.words, owner.because),
        exchanges=_exchanges(pieces),
        alternatives=_others(excess, part),
    )


_CLIENT = {Detail.CLIENT_SLOW_LINK: "the client's line", Detail.CLIENT_DEVICE: "the client's processor"}


def _exchanges(pieces: Sequence[Piece]) -> tuple[str, ...]:
    ids = dict.fromkeys(piece.exchange.id for piece in pieces if piece.exchange is not None)
    return tuple(ids)[:_SUSPECTS]


def _culprit(incident: Incident, excess: Excess, owner: Owner) -> Culprit:
    step = next((one for one in incident.attempt.steps if one.name == excess.step), None)
    team = incident.context.owners.team_of(step.capability) if step and owner.party is Party.OWN else None
    return Culprit(kind=CulpritKind.TEAM, name=team, host=owner.host) if team else owner.culprit


def _page_owner(incident: Incident, pieces: Sequence[Piece]) -> Owner | None:
    """Return whose page it is where the page called one after the other, or paused: that is not whom it called."""
    if not pieces or not all(piece.phase in (SEQUENCE, BETWEEN) for piece in pieces):
        return None
    page = incident.context.owners.owner_of(incident.context.check.target.base_url)
    return page if page.party is Party.OWN else None


def _others(excess: Excess, part: Part) -> tuple[Alternative, ...]:
    rest = sorted(
        (one for one in _DETAILS if one is not part and excess.of(one) >= NOTHING), key=lambda one: -excess.of(one)
    )
    return tuple(alternative(_DETAILS[one], f"{excess.of(one):.1f} s of it") for one in rest[:1])


def _several(incident: Incident, seen: Seen, sides: Sequence[Part]) -> Finding:
    excess = seen.excess
    ordered = sorted(sides, key=lambda one: -excess.of(one))
    words = " and ".join(f"{excess.of(one):.1f} s is {doing(excess, one, seen)}" for one in ordered[:2])
    details = [_DETAILS.get(one, seen.detail) for one in ordered[:2]]
    return Finding(
        detail=Detail.UND_MULTIPLE_CAUSES,
        confidence=Confidence.NONE,
        because=f"{opening(incident, excess)}; of that {words}, so no side explains it alone.",
        evidence=(shares_in_words(excess), *seen.words),
        exchanges=_exchanges([piece for one in ordered for piece in most_of(excess.pieces, one)[1][:1]]),
        alternatives=tuple(
            alternative(detail, f"{excess.of(one):.1f} s of it") for detail, one in zip(details, ordered, strict=False)
        ),
    )


def _doubtful(incident: Incident, seen: Seen) -> Finding:
    excess = seen.excess
    part = max(_DETAILS, key=excess.of)
    first = (alternative(seen.likeliest, "if a client without that limit is within budget"),) if seen.likeliest else ()
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{opening(incident, excess)} ({shares_in_words(excess)}), and {seen.doubt}.",
        evidence=(shares_in_words(excess), *seen.words),
        alternatives=(*first, alternative(_DETAILS[part], f"{excess.of(part):.1f} s of it")),
    )


def _open(incident: Incident, seen: Seen) -> Finding:
    excess = seen.excess
    ordered = sorted(_DETAILS, key=lambda one: -excess.of(one))
    likely = [one for one in ordered if excess.of(one) > 0] or [Part.OWN_FRONTEND, Part.THIRD_PARTY]
    likely = list(dict.fromkeys([*likely, Part.OWN_FRONTEND, Part.OWN_BACKEND]))[:2]
    return Finding(
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
        because=f"{opening(incident, excess)} ({shares_in_words(excess)}), and no side explains most of it.",
        evidence=(shares_in_words(excess), *seen.words),
        alternatives=tuple(alternative(_DETAILS[one], f"{excess.of(one):.1f} s of it") for one in likely),
    )


def _with_trials(incident: Incident, seen: Seen, trials: Trials, finding: Finding) -> Finding:
    """Let what was tried confirm, contradict or, where time alone did not tell, decide."""
    party = next((one for one in Party if one.value == finding.detail.cause.value), None)
    if party is None:
        return _decided_by_trial(incident, seen, trials, finding)
    host = finding.culprit.host if finding.culprit else None
    refuted = trials.refuted(host, own=party is Party.OWN)
    if refuted and not any(piece.phase == SCRIPT for piece in most_of(seen.excess.pieces, Part.THIRD_PARTY)[1][:1]):
        return replace(
            _open(incident, seen),
            because=f"{opening(incident, seen.excess)} ({shares_in_words(seen.excess)}), and {refuted}.",
            alternatives=(alternative(finding.detail, "by the time alone"), alternative(Detail.OWN_SLOW_FRONTEND)),
        )
    restored = trials.restored_without(host)
    look = agreeing_look(incident, seen.excess, finding)
    words = tuple(one for one in (restored, look) if one)
    if not words or trials.gone:
        said = ("a plain run afterwards was quick again",) if trials.gone else ()
        return replace(finding, evidence=(*finding.evidence, *said))
    # What comes and goes by itself is mended by anything: the step has to be slow again, left alone, or met so by us.
    sure = finding.confidence is Confidence.CONFIRMED or bool(look or trials.slow_again)
    confidence = Confidence.CONFIRMED if sure else Confidence.PROBABLE
    return replace(finding, confidence=confidence, evidence=(*finding.evidence, *words))


def _decided_by_trial(incident: Incident, seen: Seen, trials: Trials, finding: Finding) -> Finding:
    """Name the one party without whose slowness the step was within limits; sure only where several journeys agree."""
    parties = [party for party in (Party.OWN, Party.THIRD_PARTY) if trials.restored_by(party)]
    if len(parties) != 1 or trials.gone:
        return finding
    (party,) = parties
    if trials.contradict(party):
        return finding
    part = max((one for one in PARTY if PARTY[one] is party), key=seen.excess.of)
    owner = incident.context.owners.owner_of(trials.host_of(party))
    confidence = Confidence.CONFIRMED if trials.prove(party) else Confidence.PROBABLE
    return Finding(
        detail=_DETAILS[part],
        confidence=confidence,
        because=f"{opening(incident, seen.excess)}; {trials.restored_by(party)}.",
        culprit=_culprit(incident, seen.excess, owner),
        evidence=(shares_in_words(seen.excess), owner.because, *seen.words),
        exchanges=_exchanges(most_of(seen.excess.pieces, part)[1]),
        alternatives=finding.alternatives[:1],
    )
