"""What a run's evidence gives to naive classifiers: the same raw facts that the rules saw, before any experiment."""

from __future__ import annotations

from typing import Any

from monitor.diagnosis.owners import Owners
from monitor.domain.evidence import Evidence
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome

_SLOWEST = 5


def facts_of(evidence: Evidence, owners: Owners) -> dict[str, Any]:
    """Return as JSON the requests that failed or stayed open and the slowest of the rest, and how controls ended."""
    last = [x for x in evidence.exchanges if x.attempt == evidence.last.number and not x.intervention]
    told = {x.id for x in last if x.failure is not None or x.pending or (x.status or 0) >= 400}
    told |= {x.id for x in sorted(last, key=lambda x: -x.timings.total)[:_SLOWEST]}
    controls = [one for one in evidence.experiments if one.kind is ExperimentKind.CONTROL]
    return {
        "exchanges": [
            {
                "host": x.host,
                "party": owners.owner_at(x.host, x.url).party.value,
                "started": round(x.timings.started, 4),
                "total": round(x.timings.total, 4),
                "status": x.status,
                "failure": "" if x.failure is None else x.failure.value,
                "pending": x.pending or x.failure is Failure.PENDING,
            }
            for x in last
            if x.id in told
        ],
        "controls": [one.outcome is Outcome.PASSED for one in controls if one.outcome is not Outcome.INCONCLUSIVE],
    }
