"""Queries that the scripted day leaves empty, and why that is right."""

from __future__ import annotations

from collections.abc import Mapping

_LAST_WEEK = "the day has no week or month before it"
_BROWSER = "the first journey of the list is made over HTTP: there is no page to measure"
_LOST = "nothing is lost in the day"
_ELSEWHERE = "no such fault in the day: the rule's own tests have it"

# By dashboard, then by the title of the panel and the letter of the query.
ALLOWED: Mapping[str, Mapping[tuple[str, str], str]] = {
    "faultline-root-causes": {
        ("Month on month", "B"): _LAST_WEEK,
        ("Month on month", "C"): _LAST_WEEK,
    },
    "faultline-journey": {
        ("Cumulative layout shift", "A"): _BROWSER,
        ("First contentful paint", "A"): _BROWSER,
        ("Interaction to next paint", "A"): _BROWSER,
        ("Largest contentful paint", "A"): _BROWSER,
        ("Time to first byte", "A"): _BROWSER,
        (
            "Recovered, slow, and with defects that did not hurt",
            "C",
        ): "an API that asks no third party has no defects of one",
    },
    "faultline-monitor-health": {
        ("Cut short by a cap", "A"): _LOST,
        ("Results that could not be kept or published", "A"): _LOST,
        ("Results that could not be kept or published", "B"): _LOST,
    },
    "faultline-team": {
        (
            "Estimated cost of its journeys' failures, 30 d",
            "A",
        ): "the first team of the list states no value of a customer",
        ("Minutes lost by it", "B"): _LAST_WEEK,
        ("What each team contributes", "B"): _LAST_WEEK,
    },
}
SILENT_RULES: Mapping[str, str] = {
    "FaultlineClientEnvironmentBurn": _ELSEWHERE,
    "FaultlineUndeterminedHigh": _ELSEWHERE,
    "FaultlineSchedulerLagging": _ELSEWHERE,
    "FaultlineConfigReloadFailed": _ELSEWHERE,
    "FaultlineChecksRefused": _ELSEWHERE,
    "FaultlineStoreNotWritable": _ELSEWHERE,
    "FaultlineResultsDropped": _ELSEWHERE,
    "FaultlineErrorBudgetBurnMedium": "what burnt the budget that day the fast one told of",
    "FaultlineSeriesRefused": _ELSEWHERE,
}
