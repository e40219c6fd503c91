"""What experiments make of a failure: for each rule what it must say, and what it must not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from email.utils import format_datetime

import pytest

from monitor.diagnosis.rules.access import BY_OUR_NAME
from monitor.diagnosis.trials import SEVERAL_RETURNS
from monitor.domain.cause import Cause, Confidence
from monitor.domain.evidence import PageError, ScriptTime, StepErrorKind
from monitor.domain.exchange import Certificate, DnsFacts, Initiator, Timings, TlsFacts
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.ownership import HostedName, Origin, Ownership, Vendor
from monitor.domain.profile import Network, Proxy
from monitor.domain.reference import Baseline, DifferenceKind, Lately, StepBaseline
from tests.builders import A_MOMENT
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    PAY,
    SHOP,
    Court,
    a_step,
    again,
    compared,
    controls,
    difference,
    failed,
    look,
    page,
    proven,
    request,
)

WWW = "www.shop.example"
CONTENT, HEADER, NEW, STATUS = (
    DifferenceKind.CONTENT,
    DifferenceKind.HEADER,
    DifferenceKind.NEW,
    DifferenceKind.STATUS,
)
REFUSED = {"failure": Failure.TCP_REFUSED}
NO_NAME = {"failure": Failure.DNS_NAME_NOT_RESOLVED}
SERVFAIL = {"failure": Failure.DNS_SERVER_FAILURE}
TIMED_OUT = {"failure": Failure.TCP_TIMED_OUT}
EXPIRED = {"failure": Failure.TLS_CERT_DATE_INVALID}
FOREIGN_NAME = {"failure": Failure.TLS_CERT_NAME_INVALID}


def issued(by: str) -> dict:
    facts = TlsFacts(chain=(Certificate(subject="x", issuer=by),))
    return {"failure": Failure.TLS_CERT_AUTHORITY_INVALID, "tls": facts}


def dated(**skew: float) -> dict:
    return {"headers": (("date", format_datetime(A_MOMENT + dt.timedelta(seconds=3, **skew), usegmt=True)),)}


# R02: the controls.

CONTROLLED = {
    "no name resolves anywhere": (page(**NO_NAME), (NO_NAME, NO_NAME), "client.dns"),
    "every name fails": (page(**SERVFAIL), (SERVFAIL, SERVFAIL, SERVFAIL), "client.dns"),
    "a page that hangs before it is connected, and no name resolves": (
        page(pending=True, failed_phase=Phase.CONNECT),
        ({"failure": Failure.DNS_TIMED_OUT}, {"failure": Failure.DNS_TIMED_OUT}),
        "client.dns",
    ),
    "nothing can be connected to": (page(**TIMED_OUT), (TIMED_OUT, TIMED_OUT), "client.network"),
    "one issuer signs the controls too": (
        page(**issued("CN=Inspector")),
        (issued("CN=Inspector"),) * 3,
        "client.tls_interception",
    ),
    "the controls are out of date too": (page(**EXPIRED), (EXPIRED, EXPIRED), "client.clock"),
    "the controls have another time": (page(**EXPIRED), (dated(days=1000),) * 3, "client.clock"),
    "every name gets one foreign certificate": (page(**FOREIGN_NAME), (FOREIGN_NAME,) * 3, "client.network"),
    "a gateway demands to sign in": (page(**FOREIGN_NAME), ({"status": 511},), "client.network"),
    "the law blocks everything": (page(status=451), ({"status": 451}, {"status": 451}), "client.access_policy"),
    "the line drops while an answer is awaited": (
        request(API, pending=True, address="192.0.2.9", timings=Timings(total=1.9)),
        ({"failure": Failure.TCP_ADDRESS_UNREACHABLE},) * 3,
        "client.network",
    ),
    "one control is down": (page(**REFUSED), (REFUSED,), "own.connect"),
    "one control is down and an api errs": (request(API, status=500), (REFUSED,), "own.http_status"),
    "two controls fail in different layers": (page(**REFUSED), (NO_NAME, REFUSED), "own.connect"),
    "the host spoke for itself while controls fail": (page(status=500), (REFUSED, REFUSED, REFUSED), "own.http_status"),
    "the host resolves and refuses while names fail": (page(**REFUSED), (NO_NAME, NO_NAME, NO_NAME), "own.connect"),
    "other issuers sign the controls": (page(**issued("CN=a")), (issued("CN=b"), issued("CN=c")), "client.browser"),
    "controls agree with our clock": (page(**EXPIRED), (dated(),) * 3, "own.tls"),
    "one control is out of date": (page(**EXPIRED), (EXPIRED,), "own.tls"),
    "a certificate for another name, and the controls are fine": (page(**FOREIGN_NAME), (), "own.tls"),
    "the only vantage times out and the controls are fine": (page(**TIMED_OUT), (), "und.path"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CONTROLLED.items()])
def test_the_controls_tell_the_client_from_the_rest(court, case):
    exchange, ends, detail = case
    judgement = court.judge(failed(page(), exchange, experiments=controls(*ends)))
    assert judgement.diagnosis.detail.value == detail
    assert judgement.validity is Validity.VALID
    if detail.startswith("client."):
        assert judgement.diagnosis.confidence is Confidence.CONFIRMED
        assert judgement.diagnosis.rule == "R02"


def test_a_portal_in_place_of_a_control_is_the_network(court):
    sign = look(Kind.CONTROL, "http://check.example/generate_204", host="portal.hotel.example")
    assert court.detail(failed(page(), experiments=(sign,))) == "client.network"
    moved = look(Kind.CONTROL, "http://check.example/", host="www.check.example")
    assert court.detail(failed(page(), experiments=(moved,))) == "und.script_or_app_change"


def test_controls_of_the_targets_own_provider_do_not_speak_against_the_client(court):
    edge = {"headers": (("server", "edgecdn"),), "status": 503}
    evidence = failed(page(status=503, headers=(("via", "1.1 edgecdn"),)), experiments=controls(edge, edge, edge))
    assert court.detail(evidence) == "tp.edge"
    shared = {"failure": Failure.TCP_REFUSED, "address": "198.51.100.7"}
    evidence = failed(page(**shared), experiments=controls(shared, shared, shared))
    assert court.detail(evidence) == "tp.provider"
    # One that stands elsewhere and fails too is another matter, and one that answers clears the client.
    assert court.detail(failed(page(**shared), experiments=controls(shared, shared))) == "tp.provider"
    assert court.detail(failed(page(**shared), experiments=controls(shared, shared, REFUSED))) == "own.connect"


def test_controls_through_a_dead_proxy_name_the_proxy(names):
    court = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    tunnel = {"failure": Failure.PROXY_TUNNEL_FAILED}
    assert court.detail(failed(page(**tunnel), experiments=controls(tunnel, tunnel))) == "client.proxy"
    direct = look(Kind.DIRECT, WWW, by="direct")
    assert court.detail(failed(page(**tunnel), experiments=(*controls(), direct))) == "client.proxy"
    down = look(Kind.DIRECT, WWW, by="direct", **REFUSED)
    assert court.detail(failed(page(**tunnel), experiments=(*controls(), down))) == "own.connect"


# R04: the resolver triangle.

ZONE = DnsFacts(rcode="SERVFAIL", errors=("6 DNSSEC Bogus: no valid signature",))
FILTER = DnsFacts(rcode="NXDOMAIN", errors=("17 Filtered: by policy",))
OUT_OF_REACH = DnsFacts(rcode="SERVFAIL", errors=("22 No Reachable Authority",))
HTTP = {"resource": "http"}
TRIANGLE = {
    "nobody knows the name": (NO_NAME, NO_NAME, "own.dns"),
    "only ours does not know it": (NO_NAME, {}, "client.dns"),
    "ours does not answer": ({"failure": Failure.DNS_TIMED_OUT}, {}, "client.dns"),
    "ours fails, which a broken signature may be": (SERVFAIL, {}, "und.insufficient"),
    "ours says that the signature is broken": ({**SERVFAIL, "dns": ZONE}, {}, "own.dns"),
    "ours says that it filters": ({**NO_NAME, "dns": FILTER}, {}, "client.dns"),
    "the other says that it filters": (NO_NAME, {**NO_NAME, "dns": FILTER}, "own.dns"),
    "both fail": (SERVFAIL, SERVFAIL, "own.dns"),
    "nobody answers for the zone": ({**SERVFAIL, "dns": OUT_OF_REACH}, SERVFAIL, "own.dns"),
    "ours cannot reach who answers the other": ({**SERVFAIL, "dns": OUT_OF_REACH}, {}, "und.insufficient"),
    "neither gets an answer": ({"failure": Failure.DNS_TIMED_OUT}, {"failure": Failure.DNS_TIMED_OUT}, "own.dns"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in TRIANGLE.items()])
def test_a_second_resolver_tells_the_zone_from_our_resolver(court, case):
    ours, other, detail = case
    looks = (look(Kind.REPROBE, WWW, **HTTP, **ours), look(Kind.RESOLVER, WWW, by="192.0.2.53", **HTTP, **other))
    evidence = failed(page(failure=Failure.DNS_NAME_NOT_RESOLVED), experiments=(*controls(), *looks))
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.detail.value == detail
    if detail != "und.insufficient":
        # Of a zone with several servers ours may have met one that is silent or was left behind.
        sure = detail != "client.dns" or "filters" in diagnosis.because
        assert diagnosis.confidence is (Confidence.CONFIRMED if sure else Confidence.PROBABLE)
    vendors = failed(
        page(),
        request(PAY, failure=Failure.DNS_NAME_NOT_RESOLVED),
        experiments=(
            *controls(),
            look(Kind.REPROBE, "pay.payments.example", **HTTP, **ours),
            look(Kind.RESOLVER, "pay.payments.example", by="192.0.2.53", **HTTP, **other),
        ),
    )
    assert court.detail(vendors) == detail.replace("own.", "tp.")


SYSTEM, OTHER, OF_ZONE = "system", "192.0.2.53", "authoritative 192.0.2.1"
SYSTEM_UNCHECKED = "system with checking disabled"
OTHER_UNCHECKED = "192.0.2.53 with checking disabled"
SILENT = {"failure": Failure.DNS_TIMED_OUT}
PROBABLE, CONFIRMED, OPEN = Confidence.PROBABLE, Confidence.CONFIRMED, Confidence.NONE
WITH_ZONE = {
    "the zone itself denies the name": ({SYSTEM: NO_NAME, OF_ZONE: NO_NAME}, "own.dns", CONFIRMED),
    "the zone itself fails": ({SYSTEM: SERVFAIL, OF_ZONE: SERVFAIL}, "own.dns", CONFIRMED),
    "the zone itself knows what ours denies": ({SYSTEM: NO_NAME, OF_ZONE: {}}, "client.dns", PROBABLE),
    "ours is silent, and the zone answers": ({SYSTEM: SILENT, OF_ZONE: {}}, "client.dns", PROBABLE),
    "the way to the zone is shut, and the other knows": (
        {SYSTEM: NO_NAME, OTHER: {}, OF_ZONE: SILENT},
        "client.dns",
        PROBABLE,
    ),
    "the way to the zone is shut, and nobody else is asked": (
        {SYSTEM: SERVFAIL, OF_ZONE: SILENT},
        "und.insufficient",
        OPEN,
    ),
    "the zone knows what two resolvers deny": ({SYSTEM: NO_NAME, OTHER: NO_NAME, OF_ZONE: {}}, "own.dns", CONFIRMED),
    "unsigned it is known to ours": ({SYSTEM: SERVFAIL, SYSTEM_UNCHECKED: {}, OF_ZONE: {}}, "own.dns", CONFIRMED),
    "unsigned it is known to both": (
        {SYSTEM: SERVFAIL, OTHER: SERVFAIL, SYSTEM_UNCHECKED: {}, OTHER_UNCHECKED: {}},
        "own.dns",
        CONFIRMED,
    ),
    "unsigned it is known to ours, and the other never minded": (
        {SYSTEM: SERVFAIL, OTHER: {}, SYSTEM_UNCHECKED: {}, OF_ZONE: {}},
        "und.insufficient",
        OPEN,
    ),
    "ours fails even unsigned, others do not": (
        {SYSTEM: SERVFAIL, OTHER: {}, SYSTEM_UNCHECKED: SERVFAIL, OF_ZONE: {}},
        "client.dns",
        CONFIRMED,
    ),
    "ours fails even unsigned, and but the zone answers": (
        {SYSTEM: SERVFAIL, SYSTEM_UNCHECKED: SERVFAIL, OF_ZONE: {}},
        "client.dns",
        PROBABLE,
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in WITH_ZONE.items()])
def test_the_zone_itself_and_unchecked_signatures_tell_more(court, case):
    asked, detail, confidence = case
    looks = tuple(look(Kind.RESOLVER, WWW, by=by, **HTTP, **end) for by, end in asked.items())
    diagnosis = court.judge(failed(page(**NO_NAME), experiments=(*controls(), *looks))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == (detail, confidence)


def test_broken_signatures_are_said_to_be_the_zones(court):
    looks = (
        look(Kind.RESOLVER, WWW, by=SYSTEM, **HTTP, **SERVFAIL),
        look(Kind.RESOLVER, WWW, by=SYSTEM_UNCHECKED, **HTTP),
        look(Kind.RESOLVER, WWW, by=OF_ZONE, **HTTP),
    )
    diagnosis = court.judge(failed(page(**NO_NAME), experiments=(*controls(), *looks))).diagnosis
    assert "known as soon as signatures are left unchecked" in diagnosis.because
    assert [other.detail.value for other in diagnosis.alternatives] == ["client.dns"]
    assert any("asked of the zone's own server 192.0.2.1" in line for line in diagnosis.evidence)


def test_the_zones_own_server_decides_where_a_client_should_have_been_sent(court):
    ours = look(Kind.RESOLVER, WWW, by=SYSTEM, address="203.0.113.1", **REFUSED)
    other = look(Kind.RESOLVER, WWW, by=OTHER, address="198.51.100.9")
    exchange = page(address="203.0.113.1", **REFUSED)
    zone = look(Kind.RESOLVER, WWW, by=OF_ZONE, address="198.51.100.9")
    assert court.detail(failed(exchange, experiments=(*controls(), ours, other, zone))) == "client.dns"
    shut = look(Kind.RESOLVER, WWW, by=OF_ZONE, **HTTP, **SILENT)
    assert court.detail(failed(exchange, experiments=(*controls(), ours, other, shut))) == "und.path"
    alike = look(Kind.RESOLVER, WWW, by=OF_ZONE, address="203.0.113.1", **REFUSED)
    assert court.detail(failed(exchange, experiments=(*controls(), ours, other, alike))) == "own.connect"


def test_a_browsers_one_word_for_names_is_not_taken_for_an_answer(court):
    other = look(Kind.RESOLVER, WWW, by="192.0.2.53", **HTTP)
    assert court.detail(failed(page(**NO_NAME), experiments=(*controls(), other))) == "und.insufficient"


def test_a_resolver_that_leads_astray_is_named_only_if_several_others_agree(court):
    ours = look(Kind.RESOLVER, WWW, by="system", address="203.0.113.1", **REFUSED)
    others = tuple(look(Kind.RESOLVER, WWW, by=by, address="198.51.100.9") for by in ("192.0.2.53", "192.0.2.54"))
    exchange = page(address="203.0.113.1", **REFUSED)
    assert court.detail(failed(exchange, experiments=(*controls(), ours, *others))) == "client.dns"
    assert court.detail(failed(exchange, experiments=(*controls(), ours, others[0]))) == "und.path"
    same = look(Kind.RESOLVER, WWW, by="192.0.2.53", address="203.0.113.1", **REFUSED)
    assert court.detail(failed(exchange, experiments=(*controls(), ours, same))) == "own.connect"


# R06, R21, R22: the same request on another way.


@pytest.fixture
def fronted(names) -> Court:
    return Court(
        names,
        Ownership(
            domains=("shop.example",),
            edges=("edgecdn",),
            origins=(Origin(host=WWW, address="198.51.100.9"),),
            hosted=(
                HostedName(host="support.shop.example", vendor="Help Desk", control="https://other.desk.example/"),
            ),
            vendors=(Vendor(name="Example Pay", hosts=("pay.payments.example",), critical=True),),
            default_team="team-shop",
        ),
    )


def at_edge(status: int = 503, **says: str) -> object:
    return page(status=status, headers=(("server", "edgecdn"), *says.items()))


def says(error: str) -> dict[str, str]:
    return {"proxy-status": f"edgecdn; error={error}"}


ORIGIN = {
    "the edge errs and the origin answers": (at_edge(), {}, "tp.edge"),
    "the edge errs and so does the origin": (at_edge(), {"status": 503}, "own.http_status"),
    "the edge errs and the origin refuses, as one does that lets in its edge alone": (
        at_edge(502),
        REFUSED,
        "und.path",
    ),
    "the edge errs and the origin shows a certificate that its edge alone trusts": (
        at_edge(),
        {"failure": Failure.TLS_CERT_AUTHORITY_INVALID},
        "und.path",
    ),
    "the edge errs and the origin forbids": (at_edge(), {"status": 403}, "und.path"),
    "the edge errs and the origin does not know its name by its address": (at_edge(), {"status": 404}, "und.path"),
    "the edge does not find it, and neither does the origin": (at_edge(404), {"status": 404}, "own.http_status"),
    "the edge errs and the origin cannot be reached from here": (at_edge(), TIMED_OUT, "und.path"),
    "the edge refuses and so does the origin": (page(**REFUSED), REFUSED, "und.path"),
    "the edge refuses and the origin answers": (page(**REFUSED), {}, "tp.edge"),
    "the edge says it is its own, and the origin answers": (at_edge(**says("proxy_internal_error")), {}, "tp.edge"),
    "the edge says the origin refuses, and it does": (
        at_edge(502, **says("connection_refused")),
        REFUSED,
        "own.connect",
    ),
    "the edge says the origin is silent, and it is": (
        at_edge(504, **says("connection_timeout")),
        TIMED_OUT,
        "own.connect",
    ),
    "the edge accuses itself, and the origin fails too": (
        at_edge(**says("proxy_internal_error")),
        {"status": 503},
        "und.conflict",
    ),
    "the edge accuses the origin, which answers": (at_edge(502, **says("connection_refused")), {}, "und.conflict"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in ORIGIN.items()])
def test_the_origin_tells_whether_the_edge_or_what_is_behind_it_failed(fronted, case):
    exchange, end, detail = case
    evidence = failed(exchange, experiments=(*controls(), look(Kind.ORIGIN, WWW, by="198.51.100.9", **end)))
    diagnosis = fronted.judge(evidence).diagnosis
    assert diagnosis.detail.value == detail
    if diagnosis.cause is not Cause.UNDETERMINED:
        assert diagnosis.confidence is Confidence.CONFIRMED


@pytest.mark.parametrize(
    ("said", "end", "detail"),
    [
        ("proxy_internal_error", REFUSED, "tp.edge"),
        ("proxy_internal_error", {"status": 403}, "tp.edge"),
        ("proxy_internal_error", {"failure": Failure.TLS_CERT_AUTHORITY_INVALID}, "tp.edge"),
        ("connection_refused", {"status": 403}, "own.connect"),
        ("tls_certificate_error", {"failure": Failure.TLS_CERT_AUTHORITY_INVALID}, "own.tls"),
    ],
)
def test_an_origin_that_may_be_open_to_its_edge_alone_neither_confirms_nor_denies_what_the_edge_says(
    fronted, said, end, detail
):
    direct = look(Kind.ORIGIN, WWW, by="198.51.100.9", **end)
    diagnosis = fronted.judge(failed(at_edge(502, **says(said)), experiments=(*controls(), direct))).diagnosis
    assert diagnosis.detail.value == detail
    assert not any("when asked directly" in line for line in (diagnosis.because, *diagnosis.evidence))
    if detail == "tp.edge":
        assert diagnosis.confidence is Confidence.PROBABLE


def test_behind_an_edge_that_says_nothing_a_gateways_error_stays_open(court):
    assert court.detail(failed(at_edge())) == "und.path"
    assert court.detail(failed(at_edge(500))) == "own.http_status"
    assert court.detail(failed(page(status=503))) == "own.http_status"


TENANTS = {
    "another customer fails too": ({"status": 503}, "tp.hosted"),
    "another customer is served": ({}, "und.shared_responsibility"),
    "another customer fails otherwise": (REFUSED, "und.shared_responsibility"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in TENANTS.items()])
def test_another_tenant_tells_the_vendor_from_our_settings(fronted, case):
    end, detail = case
    tenant = look(
        Kind.TENANT, "support.shop.example", by="https://other.desk.example/", host="other.desk.example", **end
    )
    evidence = failed(page("https://support.shop.example/", status=503), experiments=(*controls(), tenant))
    diagnosis = fronted.judge(evidence).diagnosis
    assert diagnosis.detail.value == detail
    if detail == "tp.hosted":
        assert (diagnosis.confidence, diagnosis.culprit.name) == (Confidence.CONFIRMED, "Help Desk")


PLACES = {
    "an own host is silent everywhere": (page(**TIMED_OUT), [TIMED_OUT, TIMED_OUT], "own.connect"),
    "an own host refuses everywhere": (page(**REFUSED), [REFUSED, REFUSED], "own.connect"),
    "a vendor is silent everywhere": (request(PAY, **TIMED_OUT), [TIMED_OUT], "tp.connect"),
    "an own host is silent only here": (page(**TIMED_OUT), [{}, {}], "und.path"),
    "an own host refuses only here": (page(**REFUSED), [{}, {}], "und.path"),
    "another place fails otherwise": (page(**TIMED_OUT), [NO_NAME], "und.path"),
    "another place is out of order itself": (
        page(**TIMED_OUT),
        [{"failure": Failure.PROXY_CONNECTION_FAILED}],
        "und.path",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in PLACES.items()])
def test_other_places_tell_the_host_from_the_way_to_it(court, case):
    exchange, ends, detail = case
    looks = tuple(look(Kind.VANTAGE, exchange.host, by=f"place-{n}", **end) for n, end in enumerate(ends))
    diagnosis = court.judge(failed(exchange, experiments=(*controls(), *looks))).diagnosis
    assert diagnosis.detail.value == detail
    if exchange.host == WWW and detail == "own.connect":
        assert diagnosis.confidence is Confidence.CONFIRMED
        assert "place-0 and place-1" in diagnosis.because


def tunnel(status: int, error: str = "") -> dict:
    words = f" (Proxy-Status: p; error={error})" if error else ""
    text = f"the proxy answered the request for a tunnel with {status}{words}"
    return {"failure": Failure.PROXY_TUNNEL_FAILED, "failure_text": text}


TUNNELS = {
    "it could not connect either": (page(**TIMED_OUT), tunnel(504), "own.connect"),
    "it says that it was refused": (page(**REFUSED), tunnel(502, "connection_refused"), "own.connect"),
    "it does not know the name either": (page(**NO_NAME), tunnel(502, "dns_error"), "own.dns"),
    "it says that it knows no name, and here the host is silent": (
        page(**TIMED_OUT),
        tunnel(502, "dns_error"),
        "und.path",
    ),
    "it lets nobody through": (page(**TIMED_OUT), tunnel(403), "und.path"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in TUNNELS.items()])
def test_the_proxy_of_another_place_says_what_it_met(court, case):
    exchange, there, detail = case
    places = tuple(look(Kind.VANTAGE, WWW, by=by, **there) for by in ("north", "south"))
    assert court.detail(failed(exchange, experiments=(*controls(), *places))) == detail


@pytest.mark.parametrize(
    ("refused", "detail"),
    [
        ({**tunnel(451), "headers": (("link", '<https://isp.example/>; rel="blocked-by"'),)}, "client.access_policy"),
        (tunnel(511), "client.network"),
        (tunnel(502), "und.insufficient"),
    ],
)
def test_what_a_proxy_says_of_a_tunnel_is_heard_by_our_own_socket(names, refused, detail):
    court = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    again_here = look(Kind.REPROBE, WWW, **refused)
    evidence = failed(page(failure=Failure.PROXY_TUNNEL_FAILED), experiments=(*controls(), again_here))
    assert court.detail(evidence) == detail


def test_a_gateway_that_lets_no_control_through_is_the_network(names):
    court = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    signs = controls(tunnel(511), tunnel(511), tunnel(511))
    assert court.detail(failed(page(failure=Failure.PROXY_TUNNEL_FAILED), experiments=signs)) == "client.network"


def test_a_resolver_that_there_is_no_way_to_is_a_matter_of_the_network(court):
    cut = {"failure": Failure.DNS_UNREACHABLE, "failure_text": "[Errno 101] Network is unreachable"}
    assert court.detail(failed(page(**cut), experiments=controls(cut, cut, cut))) == "client.network"


def test_one_place_of_an_edge_is_the_edges(fronted):
    places = tuple(look(Kind.VANTAGE, WWW, by=by) for by in ("fra", "ams"))
    assert fronted.detail(failed(page(**REFUSED), experiments=(*controls(), *places))) == "tp.edge"
    # Where the controls fail from here as well, it is this place.
    assert (
        fronted.detail(failed(page(**REFUSED), experiments=(*controls(REFUSED, REFUSED), *places))) == "client.network"
    )


# R14: an ordinary browser's look.

BLOCKED = {
    "an own guard": (page(status=403), {}, "own.access", Validity.MONITOR_SPECIFIC),
    "a vendor's guard": (request(PAY, status=403), {}, "tp.access", Validity.MONITOR_SPECIFIC),
    "a guard at an edge that does not say whose rule": (
        at_edge(403),
        {},
        "und.shared_responsibility",
        Validity.MONITOR_SPECIFIC,
    ),
    "a guard that challenges": (
        page(status=403, headers=(("cf-mitigated", "challenge"),)),
        {},
        "tp.access",
        Validity.MONITOR_SPECIFIC,
    ),
    "everybody is refused": (page(status=403), {"status": 403}, "own.http_status", Validity.VALID),
    "an api that is refused to everybody": (
        request(API, status=403),
        {"status": 403},
        "und.insufficient",
        Validity.VALID,
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in BLOCKED.items()])
def test_an_ordinary_browser_tells_a_guard_from_a_refusal(court, case):
    exchange, end, detail, validity = case
    ordinary = look(Kind.CLIENT, exchange.host, by="ordinary browser", **end)
    judgement = court.judge(failed(exchange, error={"exchange": exchange.id}, experiments=(*controls(), ordinary)))
    assert (judgement.diagnosis.detail.value, judgement.validity) == (detail, validity)


def test_what_is_refused_with_a_session_and_leads_to_a_sign_in_without_is_no_guard(court):
    """The look has no session: that it is led to another page, which is answered, says nothing of what was refused."""
    account = page(f"{SHOP}account", status=403)
    to_sign_in = (request(f"{SHOP}account", status=302), request(f"{SHOP}login"))
    ordinary = replace(look(Kind.CLIENT, WWW, by="ordinary browser"), exchanges=to_sign_in)
    judgement = court.judge(failed(account, error={"exchange": account.id}, experiments=(*controls(), ordinary)))
    assert judgement.validity is Validity.VALID
    assert judgement.diagnosis.detail.value != "own.access"


@pytest.mark.parametrize("resource", ["document", "http"])
@pytest.mark.parametrize("well", [True, False])
def test_what_is_answered_by_our_own_name_too_was_not_refused_for_the_name(court, resource, well):
    """Our own socket is no browser: by a browser's name a page is asked for on purpose."""
    refused = page(status=403, resource=resource)
    by = {"kind": Kind.CLIENT, "by": BY_OUR_NAME} if resource == "document" else {"kind": Kind.REPROBE}
    ours = look(subject=WWW, url=SHOP, status=200 if well else 403, **by)
    ordinary = look(Kind.CLIENT, WWW, by="ordinary browser", url=SHOP)
    evidence = failed(refused, error={"exchange": refused.id}, experiments=(*controls(), ordinary, ours))
    judgement = court.judge(evidence)
    assert (judgement.validity is Validity.MONITOR_SPECIFIC) is not well
    assert (judgement.diagnosis.detail.value == "own.access") is not well


def test_a_request_that_hung_and_one_that_lacks_the_session_do_not_fail_alike(court):
    hanging = request(API, pending=True, failed_phase=Phase.WAIT, timings=Timings(total=9.0))
    without = look(Kind.REPROBE, "api.shop.example", url=API, status=401)
    elsewhere = look(Kind.VANTAGE, "api.shop.example", by="new-york", url=API, status=401)
    evidence = failed(page(), hanging, error={"exchange": API}, experiments=(*controls(), without, elsewhere))
    because = court.judge(evidence).diagnosis.because
    assert "in the same way" not in because
    assert "from new-york too" not in because


# R20: interventions.


def library(**values) -> object:
    return request(CDN, resource="script", initiator=Initiator(kind="parser", url=SHOP), **values)


BANNER = "https://banner.consent.example/b.js"
LOST = (PageError(message="Lib is not defined", frames=(f"{SHOP}app.js",), step="pay"),)
REPLAYED = again(Kind.REPLAY, "cdn.libraries.example", well=True)
STILL = again(Kind.RERUN, well=False)
PROVEN = (REPLAYED, STILL, REPLAYED)


def test_a_replay_that_helps_and_a_rerun_that_does_not_prove_the_resource(court):
    evidence = failed(page(), library(body_bytes=0), page_errors=LOST, experiments=(*controls(), *PROVEN))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.content", Confidence.CONFIRMED)
    assert diagnosis.culprit.name == "Libraries"
    assert (
        "replaying the last good answer of cdn.libraries.example made the step pass, and left alone it failed again"
        in (diagnosis.because)
    )


def test_a_replay_that_helps_without_the_rerun_is_only_probable(court):
    diagnosis = court.judge(failed(page(), library(), page_errors=LOST, experiments=(REPLAYED,))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.content", Confidence.PROBABLE)


def test_who_let_a_vendor_in_is_said_beside_the_vendor(court):
    new = difference(NEW, CDN, resource="script")
    ours = difference(CONTENT, SHOP, resource="document", before="300:a", after="340:b")
    tried = proven(Kind.BLOCK, "cdn.libraries.example")
    let_in = court.judge(failed(page(), library(), compared=compared(new, ours), experiments=tried)).diagnosis
    assert "our own page changed and asks for it only since then" in let_in.because
    assert let_in.alternatives[0].detail.value == "own.content"
    alone = court.judge(failed(page(), library(), compared=compared(new), experiments=tried)).diagnosis
    assert "only since then" not in alone.because


OTHERWISE = again(Kind.BLOCK, "tag.labels.example", well=False)


@pytest.mark.parametrize(
    ("tried", "sure"),
    [
        pytest.param((REPLAYED, STILL), False, id="a failure that comes and goes does that often"),
        pytest.param((REPLAYED, STILL, REPLAYED), True, id="it helps twice"),
        pytest.param((OTHERWISE, REPLAYED, STILL), True, id="it fails with something else left out, and as it is"),
        pytest.param((REPLAYED, REPLAYED, REPLAYED), False, id="it never failed again"),
    ],
)
def test_three_journeys_have_to_agree_before_an_intervention_is_proof(court, tried, sure):
    diagnosis = court.judge(failed(page(), library(), page_errors=LOST, experiments=tried)).diagnosis
    assert diagnosis.detail.value == "tp.content"
    assert diagnosis.confidence is (Confidence.CONFIRMED if sure else Confidence.PROBABLE)


COMES_AND_GOES = Lately(runs=50, failed=9, returns=7)
SELDOM = {
    "it came back twice": Lately(runs=8, failed=4, returns=SEVERAL_RETURNS - 1),
    "it came back in four of fifty runs": Lately(runs=50, failed=8, returns=4),
    "it only fails": Lately(runs=50, failed=50, returns=0),
    "nothing is known": None,
}


def test_of_a_check_that_comes_and_goes_no_change_names_anybody(court):
    """The vendor is a candidate still: it may be the one who comes and goes."""
    tried = proven(Kind.BLOCK, "cdn.libraries.example")
    assert court.detail(failed(page(), library(), experiments=tried)) == "tp.script"
    diagnosis = court.judge(failed(page(), library(), experiments=tried, lately=COMES_AND_GOES)).diagnosis
    assert diagnosis.cause is Cause.UNDETERMINED
    assert "It comes and goes: in the 50 runs before, it failed and was well again 7 times." in diagnosis.because
    first = diagnosis.alternatives[0]
    assert (first.detail.value, first.because) == ("tp.script", "Libraries, if it did not come and go by itself")


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in SELDOM.items()])
def test_a_check_that_seldom_failed_and_was_well_again_does_not_come_and_go(court, case):
    seen = {"compared": compared(difference(CONTENT, CDN, resource="script")), "experiments": PROVEN}
    diagnosis = court.judge(failed(page(), library(), lately=case, **seen)).diagnosis
    assert (diagnosis.rule, diagnosis.confidence) == ("R20", Confidence.CONFIRMED)
    assert not any("was well again" in line for line in diagnosis.evidence)


def test_what_a_page_itself_shows_names_the_vendor_of_a_check_that_comes_and_goes_as_well(court):
    evidence = failed(page(), library(body_bytes=0), page_errors=LOST, experiments=PROVEN, lately=COMES_AND_GOES)
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.content", Confidence.PROBABLE)
    assert diagnosis.rule != "R20"
    assert "in the 50 runs before, it failed and was well again 7 times" in diagnosis.evidence


def test_of_a_check_that_comes_and_goes_what_the_vendor_itself_says_is_as_good_as_ever(court):
    asked = look(Kind.REPROBE, "api.shop.example", status=500)
    seen = {"error": {"exchange": API}, "experiments": (asked, STILL), "lately": COMES_AND_GOES}
    assert court.judge(failed(page(), request(API, status=500), **seen)).diagnosis.confidence is Confidence.CONFIRMED


def test_what_comes_and_goes_by_itself_is_mended_by_no_intervention(court):
    """A plain journey passed, or the same change helped once and then did not: neither says anything of the change."""
    well, in_vain = again(Kind.RERUN, well=True), again(Kind.REPLAY, "cdn.libraries.example", well=False)
    seen = {"compared": compared(difference(CONTENT, CDN, resource="script"))}
    for tried in ((REPLAYED, well, STILL), (REPLAYED, STILL, in_vain)):
        diagnosis = court.judge(failed(page(), library(), experiments=tried, **seen)).diagnosis
        assert diagnosis.rule != "R20"
        assert diagnosis.confidence is not Confidence.CONFIRMED


def test_a_replay_after_which_the_journey_passes_anyway_proves_nothing(court):
    well = again(Kind.RERUN, well=True)
    assert court.detail(failed(page(), library(), experiments=(REPLAYED, well))) == "und.not_reproduced"


def test_a_replay_names_the_resource_and_the_resolver_the_segment(court):
    host = "pay.payments.example"
    looks = (
        look(Kind.REPROBE, host, **HTTP, **NO_NAME, dns=FILTER),
        look(Kind.RESOLVER, host, by="192.0.2.53", **HTTP),
    )
    proof = (again(Kind.REPLAY, host, well=True), STILL)
    evidence = failed(page(), request(PAY, **NO_NAME), experiments=(*controls(), *looks, *proof))
    assert court.detail(evidence) == "client.dns"


INTERVENTIONS = {
    "a needed vendor that refuses": ([library(**REFUSED)], [*PROVEN], "tp.connect", "confirmed"),
    "a needed vendor that resets": ([library(failure=Failure.TCP_RESET)], [*PROVEN], "und.path", "none"),
    "a needed vendor whose page errs": ([library(status=503)], [*PROVEN], "tp.http_status", "confirmed"),
    "a vendor that hangs in the page's head": (
        [library(pending=True, failed_phase=Phase.WAIT)],
        [*proven(Kind.BLOCK, "cdn.libraries.example")],
        "tp.slow",
        "confirmed",
    ),
    "a vendor in the page's head that is not reached": (
        [library(pending=True, failed_phase=Phase.CONNECT)],
        [*proven(Kind.BLOCK, "cdn.libraries.example")],
        "tp.connect",
        "probable",
    ),
    "a vendor without which the page works": (
        [library()],
        [*proven(Kind.BLOCK, "cdn.libraries.example")],
        "tp.script",
        "confirmed",
    ),
    "a vendor that is blocked to no avail": (
        [library(**REFUSED)],
        [again(Kind.BLOCK, "cdn.libraries.example", well=False), STILL],
        "und.insufficient",
        "none",
    ),
    "an own page that changed and is not broken": (
        [library()],
        [*proven(Kind.REPLAY, WWW)],
        "und.script_or_app_change",
        "none",
    ),
    "own data that the page cannot use": (
        [request(API)],
        [*proven(Kind.REPLAY, "api.shop.example")],
        "own.content",
        "confirmed",
    ),
    "one of two failures, the other beside it": (
        [request(API, status=500), request(PAY, status=503)],
        [*proven(Kind.REPLAY, "pay.payments.example")],
        "tp.http_status",
        "confirmed",
    ),
    "two failures that are only mended together": (
        [request(API, status=500), request(PAY, status=503)],
        [
            again(Kind.REPLAY, "pay.payments.example", well=False),
            again(Kind.REPLAY, "api.shop.example", "pay.payments.example", well=True),
            STILL,
        ],
        "und.multiple_causes",
        "none",
    ),
    "two failures of which one alone is mended to no avail": (
        [request(API, status=500), request(PAY, status=503)],
        [again(Kind.REPLAY, "pay.payments.example", well=False), STILL],
        "und.multiple_causes",
        "none",
    ),
    "a failure beside that was mended to no avail": (
        [request(PAY, status=503)],
        [again(Kind.REPLAY, "pay.payments.example", well=False), STILL],
        "und.insufficient",
        "none",
    ),
    "a failure that the archive could not mend in full": (
        [request(PAY, status=503)],
        [again(Kind.REPLAY, "pay.payments.example", well=False, missed=2), STILL],
        "tp.http_status",
        "probable",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in INTERVENTIONS.items()])
def test_an_intervention_names_the_resource(court, case):
    exchanges, experiments, detail, confidence = case
    diagnosis = court.judge(failed(page(), *exchanges, experiments=(*controls(), *experiments))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence.value) == (detail, confidence)


def test_a_vendor_that_resets_each_time_is_blamed(court):
    reset = {"failure": Failure.TCP_RESET}
    evidence = failed(
        page(),
        library(**reset),
        page_errors=LOST,
        experiments=(*controls(), look(Kind.REPROBE, "cdn.libraries.example", **reset), REPLAYED, STILL),
    )
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.connect", Confidence.CONFIRMED)


def tagged(**values) -> tuple[object, object]:
    tags = request(ADS, resource="script", initiator=Initiator(kind="parser", url=SHOP))
    tag = request(BANNER, resource="script", initiator=Initiator(kind="script", url=ADS), **values)
    return tags, tag


def test_the_deepest_vendor_is_named_and_who_loaded_it(court):
    blocked = again(Kind.BLOCK, "ads.adverts.example", well=True)
    new = compared(difference(NEW, BANNER, resource="script"))
    diagnosis = court.judge(failed(page(), *tagged(), compared=new, experiments=(blocked, STILL))).diagnosis
    assert diagnosis.detail.value == "tp.script"
    assert diagnosis.culprit.host == "banner.consent.example"
    assert "ads.adverts.example loaded" in diagnosis.because
    # Where nothing speaks against the child, the one that was blocked is named.
    plain = court.judge(failed(page(), *tagged(), experiments=(blocked, STILL))).diagnosis
    assert plain.culprit.host == "ads.adverts.example"


def test_of_several_that_were_blocked_together_nobody_is_named_for_nothing(court):
    blocked = again(Kind.BLOCK, "ads.adverts.example", "cdn.libraries.example", well=True)
    diagnosis = court.judge(failed(page(), *tagged()[:1], library(), experiments=(blocked, STILL))).diagnosis
    assert (diagnosis.detail.value, diagnosis.culprit) == ("tp.script", None)
    half = again(Kind.BLOCK, "ads.adverts.example", well=False)
    narrowed = court.judge(failed(page(), *tagged()[:1], library(), experiments=(blocked, half, STILL))).diagnosis
    assert narrowed.culprit.host == "cdn.libraries.example"


# R10: the scripts that made the element in the way.

OVERLAYS = {
    "a vendor's script": ((BANNER, ADS, SHOP), "tp.script"),
    "an own script": ((f"{SHOP}app.js",), "own.script"),
    "the page's own markup": ((SHOP,), "und.insufficient"),
    "our own script through a vendor's library": ((CDN, f"{SHOP}app.js"), "und.insufficient"),
    "nobody knows": ((), "und.insufficient"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in OVERLAYS.items()])
def test_an_element_in_the_way_belongs_to_whose_script_made_it(court, case):
    stack, detail = case
    error = {"intercepted_by": '<div id="notice">', "intercepted_stack": stack}
    diagnosis = court.judge(failed(page(), kind=StepErrorKind.INTERCEPTED, error=error)).diagnosis
    assert diagnosis.detail.value == detail
    if detail == "tp.script":
        assert diagnosis.culprit.host == "banner.consent.example"
        assert "ads.adverts.example" in diagnosis.because


# R09 and R11 with the last good run.

BOOM = (PageError(message="TypeError: x is null", frames=(f"{SHOP}app.js",), step="pay"),)
VENDOR_BOOM = (PageError(message="TypeError: y is null", frames=(CDN,), step="pay"),)
OWN_CODE = difference(CONTENT, f"{SHOP}app.js", resource="script", before="900:a", after="910:b")
VENDOR_CODE = difference(CONTENT, CDN, resource="script", before="900:a", after="910:b")
COMPARED = {
    "an own bundle that changed throws": (BOOM, (OWN_CODE,), "own.script"),
    "an own bundle that changed misses a name": (LOST, (OWN_CODE,), "own.script"),
    "a name is missing and the library changed": (LOST, (VENDOR_CODE,), "tp.content"),
    "a name is missing and both changed": (LOST, (VENDOR_CODE, OWN_CODE), "und.insufficient"),
    "a name is missing and nothing changed": (LOST, (), "und.insufficient"),
    "a vendor's code that changed throws": (VENDOR_BOOM, (VENDOR_CODE,), "tp.script"),
    "a vendor's code throws and ours changed": (VENDOR_BOOM, (VENDOR_CODE, OWN_CODE), "und.insufficient"),
    "a vendor's code throws as it was": (VENDOR_BOOM, (), "und.insufficient"),
    "the page changed and all is green": (
        (),
        (difference(CONTENT, SHOP, resource="document"),),
        "und.script_or_app_change",
    ),
    "only a vendor's code changed and all is green": ((), (VENDOR_CODE,), "und.insufficient"),
    "an own page shrank": (
        (),
        (difference(CONTENT, SHOP, resource="document", before="9000:a", after="300:b"),),
        "own.content",
    ),
    "an own page is a little shorter": (
        (),
        (difference(CONTENT, SHOP, resource="document", before="9000:a", after="8000:b"),),
        "und.script_or_app_change",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in COMPARED.items()])
def test_what_changed_since_the_last_good_run_tells_whose_it_is(court, case):
    errors, differences, detail = case
    evidence = failed(page(), library(), page_errors=errors, compared=compared(*differences))
    assert court.detail(evidence) == detail


ONLY_NEW = {
    "it answered before": ((difference(STATUS, CDN, before="200", after="503"),), "tp.http_status"),
    "nobody knows whether it did": ((), "und.insufficient"),
    "it was not asked before": ((difference(NEW, CDN, after="503"),), "und.insufficient"),
    "our page changed too": (
        (difference(STATUS, CDN, before="200", after="503"), difference(CONTENT, SHOP, resource="document")),
        "und.insufficient",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in ONLY_NEW.items()])
def test_the_only_thing_that_fails_and_did_not_before_is_needed(court, case):
    differences, detail = case
    evidence = failed(page(), request(CDN, status=503), compared=compared(*differences))
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.detail.value == detail
    assert diagnosis.confidence is not Confidence.CONFIRMED


def test_what_answers_each_time_it_is_asked_again_was_kept_open_by_something_else(court):
    opened = request(API, status=200, pending=True, address="192.0.2.9", timings=Timings(total=1.9))
    well = tuple(look(Kind.REPROBE, "api.shop.example", url=API) for _ in range(5))
    assert court.detail(failed(page(), opened, experiments=(*controls(), *well))) == "und.insufficient"
    hangs = look(Kind.REPROBE, "api.shop.example", url=API, failure=Failure.HTTP_RESPONSE_TIMED_OUT)
    assert court.detail(failed(page(), opened, experiments=(*controls(), *well[:3], hangs))) == "own.http_status"


def test_data_that_changed_and_cannot_be_read_is_ours(court):
    cut = (PageError(message="Unexpected end of JSON input", frames=(f"{SHOP}app.js",), step="open"),)
    steps = (a_step(name="open", outcome=StepOutcome.PASSED), failed().last.steps[0])
    values = {"attempt": {"steps": steps}, "page_errors": cut}
    exchanges = (page(step="open"), request(API, step="open", resource="fetch"), request(CDN, step="open"))
    ours = compared(difference(CONTENT, API, resource="fetch"))
    assert court.detail(failed(*exchanges, compared=ours, **values)) == "own.content"
    both = compared(difference(CONTENT, API, resource="fetch"), difference(CONTENT, CDN, resource="fetch"))
    assert court.detail(failed(*exchanges, compared=both, **values)) == "und.insufficient"


def test_code_that_the_client_would_not_load_is_the_clients(court):
    blocked = library(failure=Failure.BLOCKED_BY_CLIENT)
    assert court.detail(failed(page(), blocked)) == "client.browser"
    assert court.detail(failed(page(), blocked, request(BANNER, status=500))) == "und.insufficient"
    ad = request(ADS, resource="script", failure=Failure.BLOCKED_BY_CLIENT)
    assert court.detail(failed(page(), ad)) == "und.insufficient"


def test_a_form_that_leads_back_to_itself_by_another_page_is_ours(court):
    form = page(f"{SHOP}login", id="form")
    sent = page(f"{SHOP}signin", id="sent", method="POST", status=302)
    account = page(f"{SHOP}account", id="account", status=302, redirected_from="sent")
    back = page(f"{SHOP}login", id="back", redirected_from="account")
    assert court.detail(failed(form, sent, account, back)) == "own.content"


def test_the_only_code_that_changed_is_taken_for_the_cause_once_the_failure_lasts(court):
    seen = {"compared": compared(VENDOR_CODE)}
    assert court.detail(failed(page(), library(), experiments=(STILL,), **seen)) == "tp.script"
    cleared = again(Kind.BLOCK, "cdn.libraries.example", well=False)
    assert court.detail(failed(page(), library(), experiments=(cleared, STILL), **seen)) == "und.insufficient"
    data = compared(VENDOR_CODE, difference(CONTENT, API, resource="fetch"))
    assert court.detail(failed(page(), library(), experiments=(STILL,), compared=data)) == "und.insufficient"


def test_a_journey_that_came_less_far_says_nothing(court):
    early = again(Kind.RERUN, well=False, failed_step="open")
    diagnosis = court.judge(failed(page(), library(), page_errors=LOST, experiments=(REPLAYED, early))).diagnosis
    assert diagnosis.confidence is Confidence.PROBABLE
    cut = again(Kind.BLOCK, "cdn.libraries.example", well=False, failed_step="open")
    seen = compared(VENDOR_CODE)
    assert court.detail(failed(page(), library(), experiments=(cut, STILL), compared=seen)) == "tp.script"


def test_a_session_that_is_not_kept_is_ours(court):
    login = page(f"{SHOP}login", id="form")
    sent = page(f"{SHOP}login", id="sent", method="POST", status=302)
    account = page(f"{SHOP}account", id="account", status=302, redirected_from="sent")
    back = page(f"{SHOP}login", id="back", redirected_from="account")
    assert court.detail(failed(login, sent, account, back)) == "own.content"
    # A wrong password leads straight back, and a silent sign-in goes round to good purpose.
    straight = page(f"{SHOP}login", id="back", redirected_from="sent")
    assert court.detail(failed(login, sent, straight)) == "und.script_or_app_change"
    first = page(SHOP, id="first", status=302)
    silent = page(f"{SHOP}sso", id="silent", status=302, redirected_from="first")
    home = page(SHOP, id="home", redirected_from="silent")
    assert court.detail(failed(first, silent, home)) == "und.script_or_app_change"


# R07: policies.

CSP = difference(
    HEADER, SHOP, resource="document", header="content-security-policy", before="script-src a b", after="script-src a"
)
NONCE = difference(
    HEADER, SHOP, resource="document", header="content-security-policy", before="'nonce-1'", after="'nonce-2'"
)
ACAO = difference(HEADER, PAY, header="access-control-allow-origin", before="*", after="")
OWN_PAGE = difference(CONTENT, SHOP, resource="document", before="900:a", after="910:b")
BYTES = difference(CONTENT, PAY, resource="script", before="900:a", after="910:b")
CORS = {"failure": Failure.POLICY_CORS, "cors_error": "MissingAllowOriginHeader"}
POLICIES = {
    "our policy changed": ({"failure": Failure.POLICY_CSP}, (CSP,), "own.policy"),
    "only the nonce of our policy changed": ({"failure": Failure.POLICY_CSP}, (NONCE,), "und.insufficient"),
    "a vendor's script asks something new": (
        {"failure": Failure.POLICY_CSP, "initiator": Initiator(kind="script", url=CDN)},
        (difference(NEW, PAY),),
        "tp.script",
    ),
    "a vendor's header is gone": (CORS, (ACAO,), "tp.policy"),
    "a vendor no longer allows what it did": (CORS, (), "tp.policy"),
    "our page asks something new of a vendor": (CORS, (difference(NEW, PAY),), "own.policy"),
    "a vendor's header is gone that our page did not ask for before": (
        CORS,
        (ACAO, difference(NEW, PAY)),
        "und.shared_responsibility",
    ),
    "a vendor's bytes changed": ({"failure": Failure.POLICY_SRI}, (BYTES,), "tp.content"),
    "our attribute changed": ({"failure": Failure.POLICY_SRI, "body_sha256": "a"}, (OWN_PAGE,), "own.policy"),
    "our page changed and the vendor's bytes were not seen": (
        {"failure": Failure.POLICY_SRI},
        (OWN_PAGE,),
        "und.insufficient",
    ),
    "both changed": (
        {"failure": Failure.POLICY_SRI, "body_sha256": "b"},
        (OWN_PAGE, BYTES),
        "und.shared_responsibility",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in POLICIES.items()])
def test_a_policy_is_laid_at_the_door_of_who_changed(court, case):
    values, differences, detail = case
    evidence = failed(page(), request(PAY, **values), compared=compared(*differences))
    assert court.detail(evidence) == detail


@pytest.mark.parametrize(("host", "detail"), [(WWW, "own.policy"), ("pay.payments.example", "tp.policy")])
def test_whose_last_good_answer_lifts_a_policy_set_it(court, host, detail):
    evidence = failed(page(), request(PAY, **CORS), experiments=proven(Kind.REPLAY, host))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == (detail, Confidence.CONFIRMED)


# R15: what did not come back.

WELL = again(Kind.RERUN, well=True)
OVER = {
    "one reset of an own host": (page(failure=Failure.TCP_RESET), "und.not_reproduced", "none"),
    "an answer of our own that broke off once": (
        page(failure=Failure.HTTP_RESPONSE_EMPTY),
        "und.not_reproduced",
        "none",
    ),
    "an own host that did not answer once": (page(**TIMED_OUT), "und.not_reproduced", "none"),
    "a vendor that refused": (request(PAY, **REFUSED), "tp.connect", "probable"),
    "an own api that answered 500": (request(API, status=500), "own.http_status", "probable"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in OVER.items()])
def test_what_passes_when_it_is_made_again_is_never_sure(court, case):
    exchange, detail, confidence = case
    diagnosis = court.judge(failed(page(), exchange, experiments=(*controls(), WELL))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence.value) == (detail, confidence)
    assert diagnosis.rule == "R15"
    assert "made again" in diagnosis.because


def test_what_passes_when_it_is_made_again_is_said_to_come_and_go_where_history_knows(court):
    evidence = failed(page(), request(API, status=500), experiments=(*controls(), WELL), lately=COMES_AND_GOES)
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.rule == "R15"
    assert diagnosis.because.endswith("It comes and goes: in the 50 runs before, it failed and was well again 7 times.")


def test_what_still_fails_when_it_is_asked_again_is_not_over(court):
    again_silent = look(Kind.REPROBE, "api.shop.example", status=500)
    evidence = failed(page(), request(API, status=500), experiments=(*controls(), again_silent, WELL))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.rule) == ("own.http_status", "R08")


# R13 and R19: another client, and a busy page.

REFERENCE = again(Kind.PROFILE, well=True, subject="reference")
LIMITS = {
    "without JavaScript": ({"javascript": False}, "client.browser"),
    "without storage of other sites": ({"third_party_storage": False}, "client.browser"),
    "not supported": ({"supported": False}, "client.browser"),
    "like any other": ({}, "und.script_or_app_change"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in LIMITS.items()])
def test_what_another_client_can_do_is_this_clients_limit(names, case):
    profile, detail = case
    court = Court(names, **profile)
    assert court.detail(failed(page(), experiments=(REFERENCE, STILL))) == detail
    assert court.detail(failed(page(), experiments=(REFERENCE, WELL))) != "client.browser"
    assert court.detail(failed(page(status=500), experiments=(REFERENCE, STILL))) == "own.http_status"


@pytest.mark.parametrize(
    ("tried", "sure"),
    [
        pytest.param((REFERENCE, STILL), False, id="a failure that comes and goes does that often"),
        pytest.param((REFERENCE, STILL, REFERENCE), True, id="the reference profile passes twice"),
        pytest.param((REFERENCE, STILL, STILL), True, id="this one fails twice more"),
        pytest.param((REFERENCE, OTHERWISE, STILL), True, id="this one fails with something left out, and as it is"),
        pytest.param((REFERENCE, OTHERWISE, OTHERWISE), False, id="this one was not made again as it is"),
    ],
)
def test_three_journeys_have_to_agree_before_a_client_is_surely_to_blame(names, tried, sure):
    court = Court(names, supported=False)
    diagnosis = court.judge(failed(page(), experiments=tried)).diagnosis
    assert diagnosis.detail.value == "client.browser"
    assert diagnosis.confidence is (Confidence.CONFIRMED if sure else Confidence.PROBABLE)
    often = court.judge(failed(page(), experiments=tried, lately=COMES_AND_GOES)).diagnosis
    assert often.cause is Cause.UNDETERMINED
    assert often.alternatives[0].detail.value == "client.browser"


def test_no_client_is_to_blame_where_the_reference_profile_passes_and_fails(names):
    court = Court(names, supported=False)
    in_vain = again(Kind.PROFILE, well=False, subject="reference")
    for tried in ((REFERENCE, STILL, in_vain), (in_vain, STILL, REFERENCE)):
        assert court.judge(failed(page(), experiments=tried)).diagnosis.cause is Cause.UNDETERMINED


def usual(requests: float, received: float) -> Baseline:
    step = StepBaseline(step="pay", runs=20, median=1.0, deviation=0.1, requests=requests, received=received)
    return Baseline(runs=20, steps=(step,))


@pytest.mark.parametrize(
    ("baseline", "detail"),
    [
        (usual(2, 2000), "client.slow_link"),
        (usual(2, 500), "und.insufficient"),
        (None, "und.insufficient"),
    ],
)
def test_a_slow_line_is_to_blame_only_if_the_site_did_not_grow(names, baseline, detail):
    court = Court(names, network=Network(name="3g"))
    exchanges = (page(transfer_bytes=1000), request(API, transfer_bytes=1000))
    evidence = failed(*exchanges, baseline=baseline, experiments=(*controls(), REFERENCE, STILL))
    assert court.detail(evidence) == detail


BUSY = {
    "own scripts": ((ScriptTime(url=f"{SHOP}app.js", seconds=1.8, step="pay"),), "own.slow_frontend"),
    "a vendor's script": ((ScriptTime(url=CDN, seconds=1.6, step="pay"),), "tp.slow"),
    "scripts of two parties": (
        (ScriptTime(url=CDN, seconds=0.9, step="pay"), ScriptTime(url=f"{SHOP}app.js", seconds=0.9, step="pay")),
        "und.script_or_app_change",
    ),
    "a script of another step": ((ScriptTime(url=CDN, seconds=9.0, step="open"),), "und.script_or_app_change"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in BUSY.items()])
def test_a_page_that_is_too_busy_belongs_to_whose_script_it_was(court, case):
    scripts, detail = case
    assert court.detail(failed(page(), scripts=scripts)) == detail


def test_a_slow_processor_does_not_excuse_our_own_long_script(names):
    court = Court(names, cpu_slowdown=4.0)
    scripts = (ScriptTime(url=f"{SHOP}app.js", seconds=1.9, step="pay"),)
    assert court.detail(failed(page(), scripts=scripts, experiments=(REFERENCE, STILL))) == "own.slow_frontend"


@pytest.mark.parametrize("kind", [Kind.RERUN, Kind.PROFILE])
def test_a_script_that_holds_the_page_may_be_seen_only_when_the_journey_fails_again(court, kind):
    """A browser tells of a frame when it has ended, which the failed run did not live to see."""
    held = (ScriptTime(url=f"{SHOP}app.js", seconds=1.9, step="pay"),)
    failed_too = again(kind, well=False, scripts=held, step_seconds=2.0)
    diagnosis = court.judge(failed(page(), experiments=(failed_too,))).diagnosis
    assert diagnosis.detail.value == "own.slow_frontend"
    assert "when the journey was made again and failed there too" in diagnosis.because
    passed_there = again(kind, well=True, scripts=held, step_seconds=2.0)
    assert court.detail(failed(page(), experiments=(passed_there,))) != "own.slow_frontend"


# Confidence, and what is told.


def test_without_a_control_a_refusal_is_never_confirmed(court):
    proof = (look(Kind.REPROBE, WWW, **REFUSED), STILL)
    assert court.judge(failed(page(**REFUSED), experiments=proof)).diagnosis.confidence is Confidence.PROBABLE
    with_controls = court.judge(failed(page(**REFUSED), experiments=(*controls(), *proof))).diagnosis
    assert with_controls.confidence is Confidence.CONFIRMED


def test_an_error_that_comes_back_to_another_client_is_confirmed_where_the_step_waited_for_it(court):
    asked = look(Kind.REPROBE, "api.shop.example", status=500)
    waited = failed(page(), request(API, status=500), error={"exchange": API}, experiments=(asked, STILL))
    assert court.judge(waited).diagnosis.confidence is Confidence.CONFIRMED
    beside = failed(page(), request(API, status=500), experiments=(asked, STILL))
    assert court.judge(beside).diagnosis.confidence is Confidence.PROBABLE


def test_each_experiment_is_told_in_one_sentence(court):
    broke = again(Kind.BLOCK, "ads.adverts.example", well=False)
    looks = (*controls(REFUSED), look(Kind.REPROBE, WWW, status=500), look(Kind.REPROBE, WWW, status=500))
    evidence = court.judge(failed(page(status=500), experiments=(*looks, broke))).diagnosis.evidence
    assert "control: one.example refused the connection" in evidence
    assert "asked again from here: www.shop.example answered 500 (2 times)" in evidence
    assert "journey with ads.adverts.example blocked: failed in pay" in evidence


def test_an_experiment_that_broke_changes_nothing(court):
    broke = tuple(replace(each, outcome=Outcome.INCONCLUSIVE) for each in (*controls(NO_NAME, NO_NAME), REPLAYED, WELL))
    evidence = failed(page(**REFUSED), experiments=broke)
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("own.connect", Confidence.PROBABLE)
    assert any("came to no result" in line for line in diagnosis.evidence)


def test_a_vendor_that_hangs_is_told_from_one_that_is_not_reached(court):
    hanging = library(pending=True, address="192.0.2.1", timings=Timings(total=1.9))
    error = {"awaited": SHOP, "message": "Page.goto: Timeout 2000ms exceeded."}
    replayed = failed(page(), hanging, error=error, experiments=(*controls(), REPLAYED, STILL))
    assert court.detail(replayed) == "tp.slow"
    unreached = library(pending=True, failed_phase=Phase.CONNECT)
    assert (
        court.detail(failed(page(), unreached, error=error, experiments=(*controls(), REPLAYED, STILL))) == "tp.connect"
    )
    assert court.detail(failed(page(), unreached, error=error)) == "und.path"
