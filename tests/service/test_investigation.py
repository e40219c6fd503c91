"""The shop is broken, and a single run says whose fault it is and what was tried."""

from __future__ import annotations

import pytest

from monitor.demo import Shop
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.experiment import ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.run import Run
from tests.service.conftest import Walk

CLIENT = {
    "line-cut": Detail.CLIENT_NETWORK,
    "captive-portal": Detail.CLIENT_NETWORK,
    "tls-interception": Detail.CLIENT_TLS_INTERCEPTION,
    "clock-behind": Detail.CLIENT_CLOCK,
}


def tried(run: Run, kind: ExperimentKind) -> list[str]:
    return [each.outcome.value for each in run.evidence.experiments if each.kind is kind]


@pytest.mark.parametrize("fault", CLIENT)
async def test_where_the_controls_fail_too_the_clients_side_is_named(shop: Shop, walk: Walk, fault: str) -> None:
    await shop.break_(fault)
    run = await walk("api")
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.cause is Cause.CLIENT_ENVIRONMENT
    assert run.judgement.diagnosis.detail is CLIENT[fault]
    assert tried(run, ExperimentKind.CONTROL) == ["failed"] * 3
    assert tried(run, ExperimentKind.RERUN) == []


async def test_where_the_controls_answer_our_own_host_stays_named(shop: Shop, walk: Walk) -> None:
    await shop.break_("api-500")
    run = await walk("api")
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.detail is Detail.OWN_HTTP_STATUS
    assert tried(run, ExperimentKind.CONTROL) == ["passed"] * 3
    assert tried(run, ExperimentKind.REPROBE) == ["failed"]


async def test_a_run_that_passes_causes_no_experiment(walk: Walk) -> None:
    # A cold worker on a busy machine may overrun the budget of a step; such a run does not pass, and is none of these.
    for _ in range(3):
        run = await walk("api")
        if run.outcome is Outcome.PASSED:
            break
    assert run.outcome is Outcome.PASSED
    assert run.evidence.experiments == ()


@pytest.mark.browser
@pytest.mark.slow
async def test_a_vendor_that_breaks_the_page_is_named_and_proven(shop: Shop, walk: Walk) -> None:
    good = await walk("search")
    assert good.outcome in {Outcome.PASSED, Outcome.DEGRADED}
    await shop.break_("cdn-empty")
    run = await walk("search")
    diagnosis = run.judgement.diagnosis
    assert diagnosis is not None
    assert (diagnosis.cause, diagnosis.detail) == (Cause.THIRD_PARTY, Detail.TP_CONTENT)
    assert diagnosis.culprit is not None
    assert diagnosis.culprit.name == "Example CDN"
    assert diagnosis.confidence is Confidence.CONFIRMED
    assert tried(run, ExperimentKind.REPLAY) == ["passed", "passed"]
    assert tried(run, ExperimentKind.RERUN) == ["failed"]
