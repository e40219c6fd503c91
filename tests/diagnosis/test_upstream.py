"""A vendor behind our own back end is named only by an explicit statement of ours."""

from __future__ import annotations

import pytest

from monitor.domain.cause import Confidence
from monitor.domain.diagnosis import CulpritKind
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.ownership import HostedName, HostOwner, Origin, Ownership, Vendor
from tests.diagnosis.incidents import API, PAY, Court, controls, failed, look, page, request

VENDOR = "pay.payments.example"
PROBLEM = f"https://{VENDOR}/problems/outage"


def stated(words: str) -> dict:
    return {"headers": (("proxy-status", words),)}


EXPLICIT = {
    "refused by the vendor's host": {"status": 502, **stated(f"shopd;error=connection_refused;next-hop={VENDOR}")},
    "in quotes, with a port": {"status": 504, **stated(f'shopd; next-hop="{VENDOR}:443"; error=connection_timeout')},
    "the vendor answered with an error": {"status": 502, **stated(f"shopd;received-status=503;next-hop={VENDOR}")},
    "behind two hops of our own": {
        "status": 502,
        **stated(f"shopd;error=dns_error;next-hop={VENDOR}, edge;received-status=502;next-hop=api.shop.example"),
    },
    "a kind of problem of the vendor's": {"status": 503, "problem": PROBLEM},
    "a failed dependency": {"status": 424, "problem": PROBLEM},
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in EXPLICIT.items()])
def test_an_own_answer_that_names_the_vendor_behind_it_is_believed(court, case):
    diagnosis = court.judge(failed(page(), request(API, **case), error={"exchange": API})).diagnosis
    assert (diagnosis.detail.value, diagnosis.rule) == ("tp.backend_dep", "R23")
    assert (diagnosis.culprit.kind, diagnosis.culprit.name) == (CulpritKind.VENDOR, "Example Pay")
    assert diagnosis.confidence is Confidence.PROBABLE
    assert [other.detail.value for other in diagnosis.alternatives] == ["own.http_status"]


MUST_NOT = {
    "silence": {"status": 502},
    "the hop is our own": {"status": 502, **stated("edge;received-status=502;next-hop=app.shop.example")},
    "the hop is nobody we know": {"status": 502, **stated("shopd;received-status=502;next-hop=10.1.2.3")},
    "the hop was reached well": {"status": 500, **stated(f"shopd;received-status=200;next-hop={VENDOR}")},
    "the vendor refused our customer": {"status": 500, **stated(f"shopd;received-status=402;next-hop={VENDOR}")},
    "the hop is named for no reason": {"status": 500, **stated(f"shopd;next-hop={VENDOR}")},
    "the proxy itself failed": {"status": 500, **stated(f"shopd;error=proxy_internal_error;next-hop={VENDOR}")},
    "a kind of problem of our own": {
        "status": 500,
        "problem": "https://www.shop.example/problems/pay.payments.example",
    },
    "a kind of problem of a standard": {"status": 500, "problem": "https://tools.ietf.org/html/rfc7231"},
    "a vendor that no journey needs": {"status": 500, "problem": "https://www.google-analytics.com/problems/1"},
    "a customer's own mistake": {"status": 402, "problem": PROBLEM},
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in MUST_NOT.items()])
def test_what_does_not_name_a_vendor_as_failing_stays_our_own(court, case):
    diagnosis = court.judge(failed(page(), request(API, **case), error={"exchange": API})).diagnosis
    assert diagnosis.detail.value != "tp.backend_dep"
    assert diagnosis.culprit is None or diagnosis.culprit.name != "Example Pay"


def test_what_a_browser_drops_is_taken_from_a_second_look_at_the_same_request(court):
    again = look(Kind.REPROBE, "api.shop.example", url=API, status=503, problem=PROBLEM)
    other = look(Kind.REPROBE, "api.shop.example", url="https://api.shop.example/", status=503, problem=PROBLEM)
    evidence = failed(page(), request(API, status=503), error={"exchange": API}, experiments=(*controls(), again))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.backend_dep", Confidence.CONFIRMED)
    evidence = failed(page(), request(API, status=503), error={"exchange": API}, experiments=(*controls(), other))
    assert court.detail(evidence) == "own.http_status"


def test_a_vendors_own_answer_is_no_statement_of_ours(court):
    case = {"status": 503, "problem": PROBLEM}
    assert court.detail(failed(page(), request(PAY, **case), error={"exchange": PAY})) == "tp.http_status"


def test_whoever_carries_or_houses_us_is_no_vendor_behind_us(names):
    houses = Court(
        names,
        Ownership(
            domains=("shop.example",),
            vendors=(
                Vendor(name="Houses", hosts=("*.houses.example",), category="hosting"),
                Vendor(name="Carrier", hosts=("*.carrier.example",)),
                Vendor(name="Stacks", hosts=("*.stacks.example",)),
            ),
            edges=("Carrier",),
            origins=(Origin(host="api.shop.example", address="origin.stacks.example:443"),),
            hosted=(HostedName(host="help.shop.example", vendor="Stacks"),),
            default_team="team-shop",
        ),
    )
    for hop in ("eu.houses.example", "pop.carrier.example", "origin.stacks.example"):
        case = {"status": 502, **stated(f"shopd;error=connection_refused;next-hop={hop}")}
        assert houses.detail(failed(page(), request(API, **case), error={"exchange": API})) == "own.connect", hop


def test_the_team_of_our_own_host_that_is_named_behind_another_is_nearest_to_the_fault(names):
    teams = (
        HostOwner(host="api.shop.example", team="gateways"),
        HostOwner(host="stock.shop.example", team="stockroom"),
    )
    ours = Court(names, Ownership(domains=("shop.example",), hosts=teams, default_team="team-shop"))
    cases = (("stock.shop.example:8443", "stockroom"), ("10.1.2.3", "gateways"), ("api.shop.example", "gateways"))
    for hop, team in cases:
        case = {"status": 502, **stated(f"shopd;error=connection_refused;next-hop={hop}")}
        diagnosis = ours.judge(failed(page(), request(API, **case), error={"exchange": API})).diagnosis
        assert (diagnosis.detail.value, diagnosis.culprit.name) == ("own.connect", team), hop
        assert ("of stock.shop.example behind it" in diagnosis.because) is (team == "stockroom")
