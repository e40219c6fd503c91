"""Naive classifiers on the same runs: what the rules and experiments must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tests.lab.scoring.case import DETERMINATE, UNDETERMINED, Case, Facts, Said, SeenExchange
from tests.lab.scoring.figures import by_scenario

_OWN, _THIRD_PARTY, _CLIENT = DETERMINATE
_BRANCH = MappingProxyType({_OWN: "own", _THIRD_PARTY: "tp", _CLIENT: "client", UNDETERMINED: "und"})

_LOCAL = frozenset(
    {
        "tcp.offline",
        "tcp.access_denied",
        "tcp.address_unreachable",
        "proxy.connection_failed",
        "proxy.auth_required",
        "proxy.tunnel_failed",
        "blocked.by_client",
        "prober.resources",
        "prober.protocol",
        "prober.browser",
        # What a table of codes usually says of names and dates: look at your own line and clock first.
        "dns.unreachable",
        "dns.name_not_resolved",
        "dns.server_failure",
        "dns.timed_out",
        "dns.failed",
        "tls.cert.date_invalid",
        "tls.cert.authority_invalid",
    }
)
_HARMLESS = frozenset({"abandoned"})
_GENTLE_STATUS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A naive classifier: its name, what it does in words, and what it says of the facts of a run."""

    name: str
    idea: str
    cause: Callable[[Facts], str]


def first_failed_host(facts: Facts) -> str:
    """B1: whoever owns the host of the first request that failed."""
    first = _first_failed(facts)
    return first.party if first else UNDETERMINED


def code_table(facts: Facts) -> str:
    """B2: what a table of error codes says of the first failure; the owner of the host where the code is not local."""
    first = _first_failed(facts)
    if first is None:
        return UNDETERMINED
    return _CLIENT if first.failure in _LOCAL else first.party


def slowest(facts: Facts) -> str:
    """B3: whoever owns the request that was still open, or else took longest."""
    if not facts.exchanges:
        return UNDETERMINED
    return max(facts.exchanges, key=lambda one: (one.pending, one.total)).party


def code_table_and_control(facts: Facts) -> str:
    """B4: the table of codes and one control: if it fails it is the client, and if not never the client for a name."""
    if facts.controls and not facts.controls[0]:
        return _CLIENT
    said = code_table(facts)
    first = _first_failed(facts)
    if said == _CLIENT and facts.controls and first is not None and first.failure.startswith(("dns.", "tls.")):
        return first.party
    return said


BASELINES = (
    Baseline(name="B1", idea="owner of the first host that failed", cause=first_failed_host),
    Baseline(name="B2", idea="table of error codes", cause=code_table),
    Baseline(name="B3", idea="owner of the slowest or pending request", cause=slowest),
    Baseline(name="B4", idea="table of error codes and one control", cause=code_table_and_control),
)


def judged_by(baseline: Baseline, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases as this baseline would have judged them; how the run ended is not its business."""
    return tuple(_with(case, baseline.cause(case.facts)) for case in cases)


def judged_by_majority(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases as B0 judges them: always the commonest cause of all scenarios, which it is told."""
    truths = Counter(group[0].expected.cause for group in by_scenario(cases).values() if group[0].expected.cause)
    commonest = min(truths, key=lambda cause: (-truths[cause], cause)) if truths else UNDETERMINED
    return tuple(_with(case, commonest) for case in cases)


def _with(case: Case, cause: str) -> Case:
    said = case.said
    if said is None or said.outcome == "passed":
        return case
    # A second level is none of its business, so it is given the right one of the party it names.
    right = case.expected.detail if case.expected.cause == cause else f"{_BRANCH[cause]}.unknown"
    return replace(
        case,
        said=Said(outcome=said.outcome, validity=said.validity, detail=right, confidence="probable", rule="baseline"),
        decisive_found=None,
        journeys=0,
        requests=0,
        all_requests=0,
    )


def _first_failed(facts: Facts) -> SeenExchange | None:
    failed = [one for one in facts.exchanges if _is_failure(one)]
    return min(failed, key=lambda one: one.started + one.total, default=None)


def _is_failure(one: SeenExchange) -> bool:
    if one.failure in _HARMLESS:
        return False
    return bool(one.failure) or (one.status or 0) >= _GENTLE_STATUS
