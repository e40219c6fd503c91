"""Evidence that looks like proof and is none: what stands on it may not be said, or not as sure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.cause import Confidence
from monitor.domain.evidence import StepErrorKind
from monitor.domain.exchange import Initiator, Timings
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome
from monitor.domain.ownership import HostedName, Vendor
from monitor.domain.reference import DifferenceKind, Part
from tests.diagnosis.incidents import (
    API,
    CDN,
    OWNERSHIP,
    SHOP,
    Court,
    again,
    compared,
    controls,
    difference,
    failed,
    look,
    page,
    request,
)
from tests.diagnosis.slow_runs import again as slowly_again
from tests.diagnosis.slow_runs import call, code, opened, slow_run, usually, without
from tests.diagnosis.slow_runs import look as timed_look

WWW = "www.shop.example"

# R06: what an edge leaves on every answer that passes it.


def passed_on(**headers: str) -> object:
    marks = {
        "server": "cloudflare",
        "cf-ray": "8a",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return page(status=503, headers=tuple(marks.items()))


OWN_WORDS = {"proxy_status": "envoy; error=proxy_internal_error", "via": "1.1 cloudflare"}


@pytest.mark.parametrize("edges", [(), ("cloudflare",)], ids=["the edge is not configured", "the edge is configured"])
def test_what_our_own_proxy_says_of_itself_is_not_the_edges_that_passes_it_on(names, edges):
    behind = Court(names, replace(OWNERSHIP, edges=edges))
    again = look(Kind.REPROBE, WWW, url=SHOP, status=503)
    diagnosis = behind.judge(failed(passed_on(**OWN_WORDS), experiments=(*controls(), again))).diagnosis
    assert diagnosis.detail.value == "und.insufficient"
    assert "whether envoy is our own proxy or an edge provider is not stated" in diagnosis.because


@pytest.mark.parametrize("edges", [(), ("cloudflare",)], ids=["the edge is not configured", "the edge is configured"])
def test_what_an_edge_says_of_itself_by_its_own_name_is_the_edges(names, edges):
    behind = Court(names, replace(OWNERSHIP, edges=edges))
    for said in ({"proxy_status": "Cloudflare-Proxy; error=proxy_internal_error"}, {"cf_error_type": "1003"}):
        diagnosis = behind.judge(failed(passed_on(**said), experiments=controls())).diagnosis
        assert (diagnosis.detail.value, diagnosis.culprit.name) == ("tp.edge", "cloudflare")


# R08: an address of a vendor to which our own side led.

SESSION = "https://pay.payments.example/session/undefined"
LEADS = page(f"{SHOP}pay", id="leads", status=302)
NEW = compared(difference(DifferenceKind.NEW, SESSION, resource="document", after="404"))
WAS_WELL = compared(difference(DifferenceKind.STATUS, SESSION, resource="document", before="200", after="404"))


def led_to(status: int, *between, last: str = "leads", **values):
    there = page(SESSION, redirected_from=last, status=status, **values.pop("page", {}))
    again = look(Kind.REPROBE, "pay.payments.example", url=SESSION, status=status)
    return failed(LEADS, *between, there, experiments=(*controls(), again), **values)


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_an_address_of_a_vendor_that_our_own_side_led_to_may_be_wrong(court, status):
    diagnosis = court.judge(led_to(status)).diagnosis
    assert diagnosis.detail.value == "und.shared_responsibility"
    assert "our own side led to this address" in diagnosis.because
    assert [each.detail.value for each in diagnosis.alternatives] == ["tp.http_status", "own.content"]


def test_a_vendor_that_only_moves_what_it_was_asked_for_has_not_chosen_the_address(court):
    moved = page("http://pay.payments.example/session/undefined", id="moved", redirected_from="leads", status=301)
    assert court.detail(led_to(404, moved, last="moved")) == "und.shared_responsibility"


def test_a_page_of_a_vendor_that_our_own_link_leads_to_only_now_may_be_wrong(court):
    link = Initiator(kind="parser", url=SHOP)
    linked = failed(page(), page(SESSION, status=404, initiator=link), compared=NEW)
    assert court.detail(linked) == "und.shared_responsibility"
    assert court.detail(replace(linked, compared=WAS_WELL)) == "tp.http_status"


@pytest.mark.parametrize(
    ("evidence", "confidence"),
    [
        pytest.param(led_to(404, compared=WAS_WELL), Confidence.CONFIRMED, id="it was answered well before"),
        pytest.param(led_to(500), Confidence.CONFIRMED, id="the vendor errs"),
    ],
)
def test_what_a_vendor_answered_well_before_or_calls_its_own_error_stays_the_vendors(court, evidence, confidence):
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("tp.http_status", confidence)


def test_that_a_request_is_found_fault_with_again_and_elsewhere_proves_nothing_unless_it_was_well_before(court):
    looks = tuple(look(kind, API, by="ny", url=API, status=404) for kind in (Kind.REPROBE, Kind.VANTAGE))
    evidence = failed(request(API, status=404), error={"exchange": API}, experiments=(*controls(), *looks))
    diagnosis = court.judge(evidence).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("own.http_status", Confidence.PROBABLE)
    before = compared(difference(DifferenceKind.STATUS, API, before="200", after="404"))
    assert court.judge(replace(evidence, compared=before)).diagnosis.confidence is Confidence.CONFIRMED


# R05 and R02: what a client at fault looks like, and a server at fault as well.

NO_ROUTE = {"failure": Failure.TCP_ADDRESS_UNREACHABLE, "failure_text": "[Errno 101] Network is unreachable"}
SILENT = {"failure": Failure.TCP_TIMED_OUT}
REFUSED = {"failure": Failure.TCP_REFUSED}
UNTRUSTED = {"failure": Failure.TLS_CERT_AUTHORITY_INVALID}


def there(**end):
    return look(Kind.VANTAGE, WWW, by="new-york", url=SHOP, **end)


def test_a_network_that_is_gone_for_everybody_is_no_want_of_a_way_out(court):
    mine = request(SHOP, resource="http", **NO_ROUTE)
    again = look(Kind.REPROBE, WWW, url=SHOP, **NO_ROUTE)
    gone = court.judge(failed(mine, experiments=(*controls(), again, there(**SILENT)))).diagnosis
    assert (gone.detail.value, gone.confidence) == ("own.connect", Confidence.CONFIRMED)
    assert "it fails from new-york too" in gone.because
    assert court.detail(failed(mine, experiments=(*controls(), again))) == "und.path"


def test_without_a_way_out_it_is_the_clients_network_and_asking_again_makes_it_no_surer(court):
    mine = request(SHOP, resource="http", **NO_ROUTE)
    again = look(Kind.REPROBE, WWW, url=SHOP, **NO_ROUTE)
    diagnosis = court.judge(failed(mine, experiments=(again, there(**SILENT)))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("client.network", Confidence.PROBABLE)
    assert "new-york" not in diagnosis.because


def test_what_the_system_itself_forbids_is_sure_once_our_own_socket_is_forbidden_it_too(court):
    forbidden = {"failure": Failure.TCP_ACCESS_DENIED}
    alone = failed(page(**forbidden), experiments=controls())
    assert court.judge(alone).diagnosis.confidence is Confidence.PROBABLE
    again = look(Kind.REPROBE, WWW, url=SHOP, **forbidden)
    diagnosis = court.judge(replace(alone, experiments=(*controls(), again))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("client.network", Confidence.CONFIRMED)


@pytest.mark.parametrize(
    ("end", "detail", "alone"),
    [
        (SILENT, "own.connect", "client.network"),
        (REFUSED, "own.connect", "client.network"),
        ({"failure": Failure.DNS_NAME_NOT_RESOLVED, "resource": "http"}, "own.dns", "client.dns"),
    ],
    ids=str,
)
def test_controls_that_never_answer_tell_of_no_client_where_another_place_meets_the_same_failure(
    court, end, detail, alone
):
    shut = controls(end, end, end)
    assert court.detail(failed(page(**end), experiments=shut)) == alone
    assert court.detail(failed(page(**end), experiments=(*shut, there(**end)))) == detail
    # Another place that is well, or is out of order itself, clears nobody.
    assert court.detail(failed(page(**end), experiments=(*shut, there()))) == alone
    broken = there(failure=Failure.PROXY_CONNECTION_FAILED)
    assert court.detail(failed(page(**end), experiments=(*shut, broken))) == alone


@pytest.mark.parametrize(
    ("end", "detail"),
    [(UNTRUSTED, "client.tls_interception"), ({"failure": Failure.TLS_CERT_NAME_INVALID}, "client.network")],
    ids=str,
)
def test_certificates_that_the_controls_show_tell_of_the_client_though_another_place_has_the_same_proxy(
    court, end, detail
):
    evidence = failed(page(**end), experiments=(*controls(end, end, end), there(**end)))
    assert court.detail(evidence) == detail


# R04: the servers of one zone need not agree.


@pytest.mark.parametrize("said", [Failure.DNS_TIMED_OUT, Failure.DNS_NAME_NOT_RESOLVED])
def test_a_resolver_that_finds_every_other_name_may_have_met_the_one_bad_server_of_a_zone(court, said):
    mine = request(SHOP, resource="http", failure=said)
    looks = (
        look(Kind.RESOLVER, WWW, by="system", resource="http", failure=said),
        look(Kind.RESOLVER, WWW, by="9.9.9.9", resource="http"),
    )
    diagnosis = court.judge(failed(mine, experiments=(*controls(), *looks))).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("client.dns", Confidence.PROBABLE)
    assert diagnosis.alternatives[0].detail.value == "own.dns"
    # One that does not find a stranger's name either is at fault itself.
    fails_others = (*controls({"failure": said}), *looks)
    diagnosis = court.judge(failed(mine, experiments=fails_others)).diagnosis
    assert (diagnosis.detail.value, diagnosis.confidence) == ("client.dns", Confidence.CONFIRMED)


# R21 and R02: what fails together over a dead line, or because all of it is our own.

SUPPORT = "https://support.shop.example/"
TENANT = "https://other.desk.example/"


@pytest.fixture
def hosted(names) -> Court:
    name = HostedName(host="support.shop.example", vendor="Help Desk", control=TENANT)
    return Court(names, replace(OWNERSHIP, hosted=(name,)))


def tenant(**end):
    return look(Kind.TENANT, "support.shop.example", by=TENANT, host="other.desk.example", url=TENANT, **end)


@pytest.mark.parametrize(
    ("end", "ours"),
    [
        ({**SILENT, "failed_phase": Phase.CONNECT}, "client.network"),
        ({"failure": Failure.DNS_TIMED_OUT}, "client.dns"),
        (UNTRUSTED, "client.network"),
    ],
    ids=str,
)
def test_two_customers_of_one_vendor_that_are_not_reached_tell_nothing_where_nobody_else_was_reached(hosted, end, ours):
    alone = failed(page(SUPPORT, **end), experiments=(tenant(**end),))
    diagnosis = hosted.judge(alone).diagnosis
    assert diagnosis.detail.value == "und.shared_responsibility"
    assert [each.detail.value for each in diagnosis.alternatives] == ["tp.hosted", ours]
    one = look(Kind.CONTROL, "https://one.example/", **end)
    assert hosted.detail(replace(alone, experiments=(tenant(**end), one))) == "und.shared_responsibility"
    reached = hosted.judge(replace(alone, experiments=(tenant(**end), *controls()))).diagnosis
    assert (reached.detail.value, reached.culprit.name) == ("tp.hosted", "Help Desk")


def test_an_error_that_both_customers_of_a_vendor_are_answered_with_needs_no_other_site(hosted):
    evidence = failed(page(SUPPORT, status=503), experiments=(tenant(status=503),))
    assert hosted.detail(evidence) == "tp.hosted"


def test_controls_of_our_own_that_fail_with_the_site_accuse_no_provider(court):
    ours = tuple(
        look(Kind.CONTROL, url, **REFUSED) for url in ("https://shop.example/", "https://status.shop.example/")
    )
    stranger = look(Kind.CONTROL, "https://one.example/")
    assert court.detail(failed(page(**REFUSED), experiments=(*ours, stranger))) == "own.connect"


def test_controls_of_our_own_that_fail_with_the_site_accuse_no_client(names):
    also = Court(names, replace(OWNERSHIP, domains=("shop.example", "magasin.example", "negozio.example")))
    ours = tuple(look(Kind.CONTROL, f"https://www.{name}.example/", **REFUSED) for name in ("magasin", "negozio"))
    assert also.detail(failed(page(**REFUSED), experiments=ours)) == "own.connect"


# R02: a gateway that answers for everybody.


@pytest.mark.parametrize(
    ("others", "detail"),
    [((), "own.connect"), ((REFUSED,), "own.connect"), ((REFUSED, REFUSED), "client.network")],
    ids=["both others answer", "one of the others answers", "no other answers"],
)
def test_one_control_that_moved_to_another_domain_is_no_gateway_while_others_answer(court, others, detail):
    moved = look(Kind.CONTROL, "https://connectivity.office.example/", host="connectivity.cloud.example")
    made = (moved, *controls(*others)[:2])
    assert court.detail(failed(page(**REFUSED), experiments=made)) == detail


# R20: what a replay changes beside the content.

SLOW_LIBRARY = request(
    CDN, resource="script", body_sha256="same", body_bytes=100, timings=Timings(started=0.1, total=1.5, wait=1.4)
)
REPLAYED = (again(Kind.REPLAY, "cdn.libraries.example", well=True), again(Kind.RERUN, well=False))


def test_a_replay_that_mends_without_another_byte_accuses_nobody_of_what_it_sends(court):
    evidence = failed(
        page(),
        SLOW_LIBRARY,
        kind=StepErrorKind.EXPECTATION,
        compared=compared(),
        experiments=(*controls(), *REPLAYED),
    )
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.detail.value == "und.insufficient"
    assert "no difference in it was found" in diagnosis.because
    assert "otherwise than in the last good run" not in diagnosis.because
    assert [each.detail.value for each in diagnosis.alternatives] == ["tp.slow", "own.script"]


@pytest.mark.parametrize(
    ("library", "differences"),
    [
        pytest.param(SLOW_LIBRARY, (difference(DifferenceKind.CONTENT, CDN, resource="script"),), id="it differs"),
        pytest.param(replace(SLOW_LIBRARY, body_sha256=None), (), id="what it sent is not known"),
        pytest.param(replace(SLOW_LIBRARY, body_bytes=0), (), id="it is empty"),
    ],
)
def test_what_a_vendor_sends_is_the_cause_where_it_is_not_known_to_be_what_it_was(court, library, differences):
    evidence = failed(
        page(),
        library,
        kind=StepErrorKind.EXPECTATION,
        compared=compared(*differences),
        experiments=(*controls(), *REPLAYED),
    )
    diagnosis = court.judge(evidence).diagnosis
    assert diagnosis.culprit.name == "Libraries"
    assert "answers otherwise than" not in diagnosis.because


# R18: whose time it is.

LIBRARIES, SECOND = "cdn.libraries.example", "cdn.second.example"
OFTEN = usually(0.5, {Part.OWN_BACKEND: 0.4, Part.OWN_DELIVERY: 0.1})
TWO_SLOW = slow_run(
    opened(0.2),
    code(CDN, 1.5, 0.2),
    code(f"https://{SECOND}/b.js", 1.2, 1.7),
    call(API, 0.1, 2.9),
    took=3.0,
    budget=1.9,
    usual=OFTEN,
)


@pytest.mark.parametrize(
    ("hosts", "confidence"),
    [
        ((SECOND,), Confidence.PROBABLE),
        ((LIBRARIES, SECOND), Confidence.PROBABLE),
        ((LIBRARIES,), Confidence.CONFIRMED),
    ],
)
def test_only_a_step_that_was_quick_without_the_very_host_that_is_named_confirms_it(names, hosts, confidence):
    second = Vendor(name="Second", hosts=(SECOND,))
    both = Court(names, replace(OWNERSHIP, vendors=(*OWNERSHIP.vendors, second)))
    tried = (without(*hosts, took=1.8), slowly_again(3.0, Outcome.FAILED))
    diagnosis = both.judge(replace(TWO_SLOW, experiments=tried)).diagnosis
    assert (diagnosis.culprit.name, diagnosis.confidence) == ("Libraries", confidence)


def distant(seconds: float, **phases: float):
    sites = ("https://one.example/", "https://two.example/", "https://three.example/")
    return tuple(timed_look(Kind.CONTROL, url, seconds, **phases) for url in sites)


SLOW_API = slow_run(opened(0.2), call(API, 1.8, 0.2), took=2.0, usual=OFTEN)
DISTANCES = {
    "they are far away": (distant(0.6, resolve=0.1, connect=0.15, tls=0.15, wait=0.2), "own.slow_backend"),
    "they work for long themselves": (distant(0.55, connect=0.05, tls=0.08, wait=0.42), "own.slow_backend"),
    "they waited as long": (distant(1.5, connect=0.1, tls=0.1, wait=1.3), "client.slow_link"),
    "they were reached as slowly as over no distance": (
        distant(1.3, connect=1.0, tls=0.1, wait=0.1),
        "client.slow_link",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in DISTANCES.items()])
def test_unrelated_hosts_that_always_take_their_time_explain_no_wait_of_one_host_alone(court, case):
    looks, detail = case
    assert court.detail(replace(SLOW_API, experiments=looks)) == detail


def test_what_is_slow_throughout_is_the_lines_though_the_unrelated_hosts_are_far_away(court):
    throughout = slow_run(opened(1.2), call(API, 1.2, 1.2), call(f"{API}/2", 1.2, 2.4), took=3.6, usual=OFTEN)
    looks = distant(1.3, connect=0.3, tls=0.6, wait=0.4)
    assert court.detail(replace(throughout, experiments=looks)) == "client.slow_link"
