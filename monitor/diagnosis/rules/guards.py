"""R14: guards that refuse this place, or the monitor by its name, in words that are no plain refusal."""

from __future__ import annotations

from dataclasses import replace

from monitor.diagnosis.edges import edge_named
from monitor.diagnosis.incident import Family, Finding, Incident, Rule
from monitor.diagnosis.rules.access import AS_ORDINARY, BY_OUR_NAME, refusal, whose_guard
from monitor.diagnosis.trials import asked_the_same, elsewhere, looks, passed
from monitor.diagnosis.wording import listed
from monitor.domain.cause import Detail, Party
from monitor.domain.experiment import ExperimentKind

_TOO_MANY = 429
_BY_PLACE = frozenset({403, 406, 451})
SEVERAL_NAMES = 3
"""How often each name has to be tried before it tells anything."""


def refused_here(incident: Incident) -> Finding | None:
    """R14: from other places the same request is answered, so a guard refuses the place where the monitor stands."""
    for exchange in incident.needed:
        places = [e for e in elsewhere(incident, exchange.host) if asked_the_same(e, exchange)]
        again = [e for e in looks(incident, ExperimentKind.REPROBE, exchange.host) if passed(e)]
        if exchange.status not in _BY_PLACE or not places or again or not all(passed(look) for look in places):
            continue
        owner = incident.owner(exchange)
        edge = edge_named(exchange, incident.context.owners)
        if owner.party is Party.OWN and edge is not None:
            return whose_guard(incident, exchange, edge, "from another place the same request is answered")
        detail = Detail.OWN_ACCESS if owner.party is Party.OWN else Detail.TP_ACCESS
        by = listed(sorted({look.by for look in places}))
        words = f"from {by} the same request is answered, so a guard of {owner.title} refuses this place"
        finding = refusal(incident, exchange, detail, words, incident.culprit(owner))
        return replace(finding, families=frozenset({Family.CODES, Family.ELSEWHERE}))
    return None


def refused_by_name(incident: Incident) -> Finding | None:
    """R14: asked by its own name the monitor is turned away each time, and as an ordinary browser it never is.

    What is down now and then could do that once by chance, so each is asked several times.
    """
    for exchange in incident.needed:
        asked = [e for e in looks(incident, ExperimentKind.CLIENT, exchange.host) if asked_the_same(e, exchange)]
        ours = [look for look in asked if look.by == BY_OUR_NAME]
        others = [look for look in asked if look.by != BY_OUR_NAME]
        if min(len(ours), len(others)) < SEVERAL_NAMES or exchange.status == _TOO_MANY:
            continue
        if any(passed(look) for look in ours) or not all(passed(look) for look in others):
            continue
        owner = incident.owner(exchange)
        edge = edge_named(exchange, incident.context.owners)
        if owner.party is Party.OWN and edge is not None:
            return whose_guard(incident, exchange, edge, AS_ORDINARY)
        detail = Detail.OWN_ACCESS if owner.party is Party.OWN else Detail.TP_ACCESS
        words = (
            f"an ordinary browser's request is answered {len(others)} of {len(others)} times and ours not once, "
            f"so a guard of {owner.title} refuses the monitor"
        )
        finding = refusal(incident, exchange, detail, words, incident.culprit(owner))
        return replace(finding, families=frozenset({Family.CODES, Family.ELSEWHERE}))
    return None


RULES = (Rule(id="R14", decide=refused_by_name), Rule(id="R14", decide=refused_here))
