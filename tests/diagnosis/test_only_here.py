"""What only this place or this monitor meets must not be laid at the door of the site, nor the other way round."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.domain.cause import Confidence, Detail
from monitor.domain.evidence import PageError, StepErrorKind, WebSocketFacts
from monitor.domain.exchange import Certificate, DnsFacts, Timings, TlsFacts
from monitor.domain.experiment import Experiment
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.ownership import Origin
from monitor.domain.profile import Proxy
from tests.builders import A_MOMENT
from tests.diagnosis.incidents import (
    API,
    OWNERSHIP,
    PAY,
    SHOP,
    Court,
    a_step,
    again,
    compared,
    controls,
    failed,
    look,
    page,
    request,
)
from tests.diagnosis.test_experiments import EXPIRED, FOREIGN_NAME, NO_NAME, REFUSED, dated

_ASKED = ((Kind.REPROBE, ""), (Kind.RESOLVER, "system"))
WWW, API_HOST = "www.shop.example", "api.shop.example"
OTHER = "192.0.2.53"
HTTP = {"resource": "http"}


def at(address: str, *, server: str = OTHER) -> dict:
    return {"address": address, "dns": DnsFacts(addresses=(address,), server=server)}


def valid(begins: dt.timedelta, ends: dt.timedelta) -> dict:
    leaf = Certificate(subject="x", issuer="y", not_before=A_MOMENT + begins, not_after=A_MOMENT + ends)
    return {**EXPIRED, "tls": TlsFacts(chain=(leaf,))}


# R02: controls.


@pytest.mark.parametrize("failure", [REFUSED, NO_NAME, FOREIGN_NAME], ids=lambda each: str(each["failure"]))
def test_controls_that_nobody_lets_us_reach_are_no_client_while_other_sites_are_reached(court, failure):
    # A monitor that is let out to its own site and vendors alone sees its controls fail for ever.
    shut = controls(*({"failure": failure["failure"]} for _ in range(3)))
    mine = request(API, **failure, timings=Timings(started=1.0, total=0.1))
    anew = Timings(started=2.0, total=0.3, resolve=0.01, connect=0.01, tls=0.02, wait=0.1)
    alone = court.judge(failed(page(), mine, experiments=shut)).diagnosis
    assert alone.detail.cause.value == "client_environment"
    vendor = request(PAY, timings=anew)
    assert court.judge(failed(page(), mine, vendor, experiments=shut)).diagnosis.detail is not alone.detail
    before = request(PAY, timings=replace(anew, started=0.2))
    cached = request(PAY, timings=anew, from_cache=True)
    for nothing in (before, cached):
        assert court.detail(failed(page(), mine, nothing, experiments=shut)) == alone.detail.value


@pytest.mark.parametrize(
    ("failure", "detail"), [(Failure.TCP_REFUSED, "own.connect"), (Failure.TCP_TIMED_OUT, "client.network")]
)
def test_an_answer_that_came_meanwhile_clears_the_line_of_a_refusal_and_not_of_a_silence(court, failure, detail):
    shut = controls(*({"failure": failure} for _ in range(3)))
    mine = request(
        API, failure=failure, timings=Timings(started=1.0, total=0.1 if failure is Failure.TCP_REFUSED else 4.0)
    )
    meanwhile = request(PAY, timings=Timings(started=0.9, total=0.3, connect=0.01))
    assert court.detail(failed(page(), mine, meanwhile, experiments=shut)) == detail


def test_silence_here_and_a_refusal_there_have_not_one_cause(court):
    silent = {"failure": Failure.TCP_TIMED_OUT}
    assert court.detail(failed(page(**silent), experiments=controls(REFUSED, REFUSED))) == "und.path"
    assert court.detail(failed(page(**REFUSED), experiments=controls(silent, silent))) == "own.connect"
    assert court.detail(failed(page(**silent), experiments=controls(silent, silent))) == "client.network"
    unreachable = {"failure": Failure.TCP_ADDRESS_UNREACHABLE}
    assert court.detail(failed(page(**silent), experiments=controls(unreachable, unreachable))) == "client.network"


def test_a_gateway_that_can_be_asked_around_leaves_a_resolver_that_lies_as_the_other_candidate(court):
    shown = (*controls(*(FOREIGN_NAME for _ in range(3))),)
    ours = look(Kind.RESOLVER, WWW, by="system", **FOREIGN_NAME, **at("198.51.100.9"))
    knows = look(Kind.RESOLVER, WWW, by=OTHER, **at("203.0.113.7"))
    alone, beside = (
        court.judge(failed(page(**FOREIGN_NAME), experiments=made)).diagnosis for made in (shown, (*shown, ours, knows))
    )
    assert (alone.detail, beside.detail) == (Detail.CLIENT_NETWORK, Detail.CLIENT_NETWORK)
    assert Detail.CLIENT_DNS in {each.detail for each in beside.alternatives}
    assert Detail.CLIENT_DNS not in {each.detail for each in alone.alternatives}


DAYS = {
    "out of date by every clock": (valid(dt.timedelta(-90), dt.timedelta(-2)), "own.tls"),
    "in date by their clock": (valid(dt.timedelta(minutes=10), dt.timedelta(60)), "client.clock"),
    "nobody kept it": (EXPIRED, "client.clock"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in DAYS.items()])
def test_a_clock_is_at_fault_only_where_the_right_time_would_mend_it(court, case):
    shown, detail = case
    assert court.detail(failed(page(**shown), experiments=controls(*(dated(minutes=20),) * 3))) == detail


def test_without_controls_too_the_right_time_has_to_mend_it(court):
    late = {"headers": dated(minutes=20)["headers"], "timings": Timings(started=3.0, total=0.1)}
    for shown, detail in DAYS.values():
        assert court.detail(failed(request(PAY, **late), page(**shown))) == detail


def test_a_site_that_answered_over_tls_was_reached_whatever_a_control_says(court):
    moved = look(Kind.CONTROL, "https://one.example/generate_204", host="welcome.portal.example")
    shown = (moved, *controls()[1:])
    answered = page(status=500)
    assert court.detail(failed(answered, error={"exchange": SHOP}, experiments=shown)) == "own.http_status"
    away = (moved, *controls(REFUSED, REFUSED, REFUSED)[1:])
    assert court.detail(failed(page(**FOREIGN_NAME), experiments=away)) == "client.network"
    # Where others answer, the one has moved, and the site shows the wrong certificate itself.
    assert court.detail(failed(page(**FOREIGN_NAME), experiments=shown)) == "own.tls"
    assert court.detail(failed(page(status=511), error={"exchange": SHOP}, experiments=shown)) == "client.network"


# R04: who says where a host is.


@pytest.mark.parametrize(("address", "detail"), [("0.0.0.0", "client.dns"), ("198.51.100.9", "und.path")])
def test_an_address_that_is_nobodys_is_a_filter_of_the_clients_resolver(court, address, detail):
    host = "pay.payments.example"
    ours = (look(kind, host, by=by, **REFUSED, **HTTP, **at(address)) for kind, by in _ASKED)
    knows = look(Kind.RESOLVER, host, by=OTHER, **HTTP, **at("203.0.113.7"))
    evidence = failed(page(), request(PAY, **REFUSED), experiments=(*controls(), *ours, knows))
    assert court.detail(evidence) == detail


def test_a_file_of_the_system_that_says_where_a_host_is_is_the_clients(court):
    ours = look(Kind.RESOLVER, API_HOST, by="system", **REFUSED, **HTTP, **at("198.51.100.9", server="hosts_file"))
    knows = look(Kind.RESOLVER, API_HOST, by=OTHER, **HTTP, **at("203.0.113.7"))
    evidence = failed(request(API, **REFUSED, **HTTP), experiments=(*controls(), ours, knows))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.rule) == ("client.dns", "R04")
    assert "list of hosts" in diagnosis.culprit.name
    by_dns = replace(ours, exchanges=(replace(ours.exchanges[0], dns=DnsFacts(addresses=("198.51.100.9",))),))
    assert court.detail(replace(evidence, experiments=(*controls(), by_dns, knows))) == "und.path"


# R14: guards.


def by(name: str, *, well: bool, status: int = 503) -> Experiment:
    return look(Kind.CLIENT, API_HOST, by=name, url=API, status=200 if well else status)


NAMES = {
    "only our name is turned away": ((False,) * 3, (True,) * 4, "own.access"),
    "ours was answered once": ((False, True, False), (True,) * 4, "own.http_status"),
    "an ordinary browser was turned away once": ((False,) * 3, (True, True, False, True), "own.http_status"),
    "too little was tried": ((False,) * 2, (True,) * 2, "own.http_status"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NAMES.items()])
def test_a_guard_that_answers_with_an_outage_is_told_by_its_constancy(court, case):
    ours, others, detail = case
    looks = (
        *(by("the monitor's own name", well=well) for well in ours),
        *(by("ordinary browser", well=well) for well in others),
    )
    evidence = failed(request(API, status=503, **HTTP), error={"exchange": API}, experiments=(*controls(), *looks))
    judgement = court.judge(evidence)
    assert judgement.diagnosis.detail.value == detail
    specific = detail == "own.access"
    assert judgement.validity is (Validity.MONITOR_SPECIFIC if specific else Validity.VALID)
    assert judgement.outcome is (Outcome.INCONCLUSIVE if specific else Outcome.FAILED)


@pytest.mark.parametrize(
    ("there", "detail"), [({}, "own.access"), ({"status": 403}, "own.http_status"), (None, "own.http_status")]
)
def test_a_page_that_is_refused_here_and_served_elsewhere_is_no_outage(court, there, detail):
    places = () if there is None else tuple(look(Kind.VANTAGE, WWW, by=place, **there) for place in ("fra", "ams"))
    ordinary = look(Kind.CLIENT, WWW, by="ordinary browser", status=403)
    evidence = failed(
        page(status=403), error={"exchange": SHOP}, attempt={"steps": ()}, experiments=(*controls(), ordinary, *places)
    )
    step = a_step(error=failed().attempts[0].steps[0].error)
    evidence = replace(evidence, attempts=(replace(evidence.attempts[0], steps=(step,)),))
    judgement = court.judge(evidence)
    assert judgement.diagnosis.detail.value == detail
    assert judgement.validity is (Validity.MONITOR_SPECIFIC if detail == "own.access" else Validity.VALID)


# R06, R05, R22: a look that could not send the request says nothing of its answer.


def test_an_order_that_fails_is_not_the_edges_because_the_origins_front_page_answers(names):
    fronted = Court(names, replace(OWNERSHIP, origins=(Origin(host=API_HOST, address="192.0.2.9"),)))
    order = request(API, status=500, method="POST", headers=(("server", "edgecdn"),))
    root = look(Kind.ORIGIN, API_HOST, by="192.0.2.9")
    same = look(Kind.ORIGIN, API_HOST, by="192.0.2.9", url=API)
    assert fronted.detail(failed(order, error={"exchange": API}, experiments=(*controls(), root))) != "tp.edge"
    assert fronted.detail(failed(order, error={"exchange": API}, experiments=(*controls(), same))) == "tp.edge"


def signed(by: str) -> dict:
    return {"tls": TlsFacts(chain=(Certificate(subject="x", issuer=by),))}


THROUGH = {
    "the proxy reads along": ("CN=Company", "CN=Public", 403, "client.proxy"),
    "the proxy lets it through": ("CN=Public", "CN=Public", 503, "own.http_status"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in THROUGH.items()])
def test_only_a_proxy_that_reads_along_can_have_answered_inside_tls(names, case):
    here, there, status, detail = case
    behind = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    again_here = look(Kind.REPROBE, API_HOST, url=API, status=status, **signed(here))
    direct = look(Kind.DIRECT, API_HOST, url=API, by="direct", **signed(there))
    evidence = failed(
        request(API, status=status, **HTTP), error={"exchange": API}, experiments=(*controls(), again_here, direct)
    )
    assert behind.detail(evidence) == detail


def test_a_websocket_that_fails_behind_a_proxy_is_nobodys_yet(names, court):
    socket = WebSocketFacts(url="wss://live.shop.example/feed", host="live.shop.example", error="net::ERR_FAILED")
    evidence = failed(page(), kind=StepErrorKind.EXPECTATION, websockets=(socket,))
    behind = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    assert (court.detail(evidence), behind.detail(evidence)) == ("own.connect", "und.path")


def test_a_certificate_that_only_the_proxy_shows_is_interception(names):
    behind = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    foreign = {"failure": Failure.TLS_CERT_AUTHORITY_INVALID, **signed("CN=Company")}
    looks = (look(Kind.REPROBE, WWW, **foreign), look(Kind.DIRECT, WWW, by="direct"))
    assert behind.detail(failed(page(**foreign), experiments=(*controls(), *looks))) == "client.tls_interception"


# R12: what was sent was refused.

SESSION = "https://api.shop.example/session"


@pytest.mark.parametrize(
    ("url", "status", "detail", "validity"),
    [
        (SESSION, 423, "und.monitor_config", Validity.INVALID),
        (SESSION, 400, "und.insufficient", Validity.VALID),
        (SESSION, 422, "und.insufficient", Validity.VALID),
        (API, 409, "und.insufficient", Validity.VALID),
        (API, 400, "own.http_status", Validity.VALID),
        (API, 500, "own.http_status", Validity.VALID),
    ],
)
def test_what_is_refused_for_what_was_sent_may_be_the_monitors_account_or_data(court, url, status, detail, validity):
    sent = request(url, status=status, method="POST", **HTTP)
    judgement = court.judge(failed(page(), sent, error={"exchange": url}))
    assert (judgement.diagnosis.detail.value, judgement.validity) == (detail, validity)
    if detail == "und.insufficient":
        assert judgement.diagnosis.alternatives[0].detail.value == "und.monitor_config"


def test_an_account_that_is_refused_with_400_is_told_by_a_second_one(court):
    sent = request(SESSION, status=400, method="POST", **HTTP)
    second = replace(again(Kind.ACCOUNT, well=True), subject="the second account")
    judgement = court.judge(failed(page(), sent, error={"exchange": SESSION}, experiments=(second,)))
    assert (judgement.diagnosis.detail.value, judgement.validity) == ("und.monitor_config", Validity.INVALID)


# R09: an exception in a client that is served otherwise.


@pytest.mark.parametrize(
    ("profile", "detail"),
    [
        ({"third_party_storage": False}, "und.insufficient"),
        ({"supported": False}, "und.insufficient"),
        ({}, "own.script"),
    ],
)
def test_an_exception_in_a_limited_client_is_not_ours_before_another_one_was_tried(names, profile, detail):
    thrown = (PageError(message="access is denied", frames=(f"{SHOP}app.js",), step="pay"),)
    evidence = failed(page(), kind=StepErrorKind.EXPECTATION, page_errors=thrown)
    assert Court(names, **profile).detail(evidence) == detail
    # As this very client the check passed before.
    assert Court(names, **profile).detail(replace(evidence, compared=compared())) == "own.script"


# How sure.


def test_an_answer_that_stops_midway_is_sure_only_from_two_places(court):
    stopped = {"status": 200, "failure": Failure.HTTP_RESPONSE_TIMED_OUT, "url": API, **HTTP}
    open_still = request(API, pending=True, request_sent=True)
    looks = (look(Kind.REPROBE, API_HOST, **stopped), again(Kind.REPLAY, API_HOST, well=True))
    still = again(Kind.RERUN, well=False)
    evidence = failed(page(), open_still, experiments=(*controls(), *looks, still))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("own.http_status", Confidence.PROBABLE)
    there = look(Kind.VANTAGE, API_HOST, by="fra", **stopped)
    assert (
        court.judge(replace(evidence, experiments=(*evidence.experiments, there))).diagnosis.confidence
        is Confidence.CONFIRMED
    )
