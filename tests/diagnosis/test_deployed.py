"""Deployments stand beside a verdict on own infrastructure; they never make one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.diagnosis.judge import judge
from monitor.domain.cause import Cause
from monitor.domain.deployment import Deployment
from monitor.domain.failure import Failure
from monitor.domain.ownership import CapabilityOwner, HostOwner, PathOwner
from tests.builders import A_MOMENT
from tests.diagnosis.incidents import API, OWNERSHIP, PAY, Court, failed, page, request

MINUTE = dt.timedelta(minutes=1)


def a_deployment(minutes_before: float = 12, **values) -> Deployment:
    return Deployment(**{"service": "shop-api", "version": "4.2.1", "at": A_MOMENT - minutes_before * MINUTE, **values})


def after(*deployments: Deployment, exchange=None, since=A_MOMENT, **values):
    broken = exchange or request(API, status=500)
    return failed(page(), broken, deployments=deployments, failing_since=since, **values)


def said(court: Court, evidence) -> tuple[str, tuple[str, ...]]:
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis is not None
    return diagnosis.because, diagnosis.evidence


def test_the_sentence_and_the_evidence_of_an_own_failure_name_what_was_deployed_before_it(court):
    because, evidence = said(court, after(a_deployment()))
    assert because.endswith("; shop-api 4.2.1 was deployed 12 min before the first failure.")
    assert "shop-api 4.2.1 was deployed 12 min before the first failure" in evidence


def test_but_for_those_words_the_verdict_is_the_same(court):
    with_it, without = court.judge(after(a_deployment())), court.judge(after())
    assert with_it.diagnosis is not None
    assert without.diagnosis is not None
    assert "deployed" not in without.diagnosis.because
    assert (
        replace(with_it.diagnosis, because=without.diagnosis.because, evidence=without.diagnosis.evidence)
        == without.diagnosis
    )


@pytest.mark.parametrize(
    "deployment",
    [
        a_deployment(-0.1),
        a_deployment(121),
        a_deployment(service="Example Pay"),
        a_deployment(service="example pay"),
        a_deployment(target="another"),
    ],
    ids=["after the failure", "too long ago", "a vendor", "a vendor in other letters", "another target"],
)
def test_what_cannot_have_done_it_is_not_named(court, deployment):
    because, evidence = said(court, after(deployment))
    assert "deployed" not in because + " ".join(evidence)


def test_in_a_long_episode_the_time_counts_from_its_first_failure(court):
    first = A_MOMENT - dt.timedelta(hours=5)
    before, amid = a_deployment(5 * 60 + 3), a_deployment(30, version="4.2.2")
    because, evidence = said(court, after(amid, before, since=first))
    assert because.endswith("; shop-api 4.2.1 was deployed 3 min before the first failure.")
    assert "4.2.2" not in because + " ".join(evidence)


def test_a_vendors_failure_is_not_put_down_to_a_deployment(court):
    broken = request(PAY, failure=Failure.TCP_REFUSED, failed_phase=None)
    judgement = court.judge(after(a_deployment(), exchange=broken))
    assert judgement.diagnosis is not None
    assert judgement.diagnosis.cause is Cause.THIRD_PARTY
    assert "deployed" not in judgement.diagnosis.because + " ".join(judgement.diagnosis.evidence)


def test_a_deployment_alone_decides_nothing(court):
    judgement = court.judge(failed(page(), deployments=(a_deployment(),), failing_since=A_MOMENT))
    assert judgement.diagnosis is not None
    assert judgement.diagnosis.cause is Cause.UNDETERMINED
    assert "deployed" not in judgement.diagnosis.because


@pytest.mark.parametrize(
    "owners",
    [
        {"hosts": (HostOwner(host="api.shop.example", team="t", service="shop-api"),)},
        {"hosts": (HostOwner(host="*.shop.example", team="t", service="shop-api"),)},
        {"paths": (PathOwner(host="*", prefix="/order", team="t", service="Shop-API"),)},
        {"capabilities": (CapabilityOwner(capability="payments", team="t", service="shop-api"),)},
    ],
    ids=["host", "wildcard", "path", "capability"],
)
def test_where_owners_name_services_the_sentence_keeps_to_those_that_failed(names, owners):
    court = Court(names, replace(OWNERSHIP, **owners))
    other = a_deployment(2, service="search", version="9")
    because, evidence = said(court, after(a_deployment(), other))
    assert because.endswith("; shop-api 4.2.1 was deployed 12 min before the first failure.")
    assert "search 9 was deployed 2 min before the first failure" in evidence
    alone, listed = said(court, after(other))
    assert "deployed" not in alone
    assert "search 9 was deployed 2 min before the first failure" in listed


def test_the_service_that_the_check_speaks_for_counts(court):
    context = replace(court.context, check=replace(court.context.check, service="checkout"))
    mine, other = a_deployment(90, service="checkout"), a_deployment(2, service="search")
    diagnosis = judge(after(mine, other), context).diagnosis
    assert diagnosis is not None
    assert diagnosis.because.endswith("; checkout 4.2.1 was deployed 1 h 30 min before the first failure.")


def test_at_most_five_deployments_are_listed_the_newest_first(court):
    _, evidence = said(court, after(*(a_deployment(minutes, version=str(minutes)) for minutes in range(1, 9))))
    listed = [line for line in evidence if "was deployed" in line]
    assert [line.split()[1] for line in listed] == ["1", "2", "3", "4", "5"]
