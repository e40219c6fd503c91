from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest

from monitor.diagnosis.judge import RULES, RULESET, can_judge, judge
from monitor.diagnosis.rules.validity import FAULTS
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.evidence import (
    ConsoleLevel,
    ConsoleMessage,
    PageError,
    ProberFault,
    StepErrorKind,
    VantageHealth,
    WebSocketFacts,
)
from monitor.domain.exchange import Certificate, Initiator, Timings, TlsFacts
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.ownership import HostOwner
from monitor.domain.profile import Network, Proxy
from monitor.domain.reference import DifferenceKind
from tests.builders import an_attempt, an_evidence
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    OWNERSHIP,
    PAY,
    SHOP,
    Court,
    a_step,
    compared,
    difference,
    failed,
    page,
    passed,
    request,
)

GATEWAYS = HostOwner(host="api.shop.example", team="gateways")
SIGN_IN = "https://api.shop.example/session"

TLS_ISSUER = TlsFacts(chain=(Certificate(subject="x", issuer="CN=Corporate Proxy"),))

CASES = {
    "own host refuses": (failed(page(failure=Failure.TCP_REFUSED)), "own.connect"),
    "own certificate expired": (failed(page(failure=Failure.TLS_CERT_EXPIRED)), "own.tls"),
    "own certificate for another name": (failed(page(failure=Failure.TLS_CERT_NAME_INVALID)), "own.tls"),
    "own terminator shares no cipher": (failed(page(failure=Failure.TLS_VERSION_OR_CIPHER_MISMATCH)), "own.tls"),
    "own api answers 500": (failed(page(), request(API, status=500)), "own.http_status"),
    "own page in maintenance": (failed(page(status=503)), "own.http_status"),
    "own chunk is gone": (failed(page(), request(f"{SHOP}app.1a2b.js", resource="script", status=404)), "own.content"),
    "own page is empty": (failed(page(mime_type="text/html", body_bytes=0)), "own.content"),
    "own page is truncated": (failed(page(failure=Failure.HTTP_RESPONSE_TRUNCATED)), "own.http_protocol"),
    "own redirect loop": (failed(page(failure=Failure.HTTP_RESPONSE_REDIRECT_LOOP)), "own.http_protocol"),
    "own api without its CORS header": (failed(page(), request(API, failure=Failure.POLICY_CORS)), "own.policy"),
    "own page asks over plain http": (
        failed(
            page(),
            request(PAY, failure=Failure.POLICY_MIXED_CONTENT, initiator=Initiator(kind="parser", url=SHOP)),
        ),
        "own.policy",
    ),
    "own bundle throws": (
        failed(page(), page_errors=(PageError(message="TypeError: x is null", frames=(f"{SHOP}app.js",)),)),
        "own.script",
    ),
    "own flag service sends malformed JSON": (
        failed(page(), page_errors=(PageError(message="Unexpected end of JSON input", frames=(f"{SHOP}app.js",)),)),
        "own.content",
    ),
    "malformed data in a promise, and all data is own": (
        failed(page(), request(API), request(ADS), page_errors=(PageError(message="',' is not valid JSON"),)),
        "own.content",
    ),
    "own name is gone, other names resolve": (
        failed(
            page(failure=Failure.DNS_NAME_NOT_RESOLVED),
            request(CDN, address="192.0.2.1", timings=Timings(resolve=0.01)),
        ),
        "own.dns",
    ),
    "own name is gone, says our resolver": (
        failed(request(resource="http", failure=Failure.DNS_NAME_NOT_RESOLVED)),
        "own.dns",
    ),
    "own api never answers": (
        failed(page(), request(API, pending=True, address="192.0.2.1", timings=Timings(total=1.9))),
        "own.http_status",
    ),
    "own websocket is refused": (
        failed(
            page(), websockets=(WebSocketFacts(url="wss://ws.shop.example/", host="ws.shop.example", error="1006"),)
        ),
        "own.connect",
    ),
    "own rate limit": (failed(page(status=429)), "own.access"),
    "vendor refuses": (failed(page(), request(PAY, failure=Failure.TCP_REFUSED)), "tp.connect"),
    "vendor answers 503": (failed(page(), request(PAY, status=503)), "tp.http_status"),
    "vendor certificate expired": (failed(page(), request(PAY, failure=Failure.TLS_CERT_EXPIRED)), "tp.tls"),
    "vendor script is truncated": (
        failed(page(), request(PAY, resource="script", failure=Failure.HTTP_RESPONSE_TRUNCATED)),
        "tp.http_protocol",
    ),
    "vendor script answered with an error is not merely aborted": (
        failed(page(), request(PAY, resource="script", failure=Failure.ABANDONED, status=503)),
        "tp.http_status",
    ),
    "vendor limits our key": (failed(page(), request(PAY, status=429)), "tp.access"),
    "vendor challenge": (failed(page(status=403, headers=(("cf-mitigated", "challenge"),))), "tp.access"),
    "redirect ends at a vendor that refuses": (
        failed(
            page(f"{SHOP}pay", status=302),
            page(PAY, failure=Failure.TCP_REFUSED, redirected_from=f"{SHOP}pay"),
            error={"exchange": f"{SHOP}pay"},
        ),
        "tp.connect",
    ),
    "awaited exchange of a vendor nobody called critical": (
        failed(page(), request(CDN, failure=Failure.TCP_REFUSED), error={"exchange": CDN}),
        "tp.connect",
    ),
    "blocking script of a vendor hangs": (
        failed(
            page(),
            request(CDN, resource="script", pending=True, address="192.0.2.1", initiator=Initiator(kind="parser")),
            error={"awaited": SHOP, "message": "Page.goto: Timeout 2000ms exceeded."},
        ),
        "tp.slow",
    ),
    "vendor's overlay": (
        failed(page(), kind=StepErrorKind.INTERCEPTED, error={"intercepted_by": f'<iframe src="{CDN}">'}),
        "tp.script",
    ),
    "edge says it failed itself": (
        failed(page(status=503, headers=(("proxy-status", "edgecdn; error=proxy_internal_error"),))),
        "tp.edge",
    ),
    "edge says the origin refuses": (
        failed(page(status=502, headers=(("proxy-status", 'edgecdn; error=connection_refused; details="x"'),))),
        "own.connect",
    ),
    "edge says the origin is not reached": (
        failed(page(status=522, headers=(("cf-error-type", "522"),))),
        "own.connect",
    ),
    "edge says its routing failed": (failed(page(status=530, headers=(("cf-error-type", "1000"),))), "tp.edge"),
    "system forbids the connection": (failed(page(failure=Failure.TCP_ACCESS_DENIED)), "client.network"),
    "no route": (
        failed(page(failure=Failure.TCP_ADDRESS_UNREACHABLE, failure_text="[Errno 101] Network is unreachable")),
        "client.network",
    ),
    "nothing is reachable": (
        failed(page(failure=Failure.TCP_ADDRESS_UNREACHABLE), request(CDN, failure=Failure.TCP_ADDRESS_UNREACHABLE)),
        "client.network",
    ),
    "line dropped": (failed(page(failure=Failure.TCP_OFFLINE)), "client.network"),
    "no name resolves": (
        failed(page(failure=Failure.DNS_TIMED_OUT), request(PAY, failure=Failure.DNS_TIMED_OUT)),
        "client.dns",
    ),
    "captive gateway": (failed(page(status=511)), "client.network"),
    "legal block of another": (
        failed(page(status=451, headers=(("link", '<https://isp.example/why>; rel="blocked-by"'),))),
        "client.access_policy",
    ),
    "blocker in the client": (failed(page(), request(API, failure=Failure.BLOCKED_BY_CLIENT)), "client.browser"),
    "one issuer signs everything": (
        failed(
            page(failure=Failure.TLS_CERT_AUTHORITY_INVALID, tls=TLS_ISSUER),
            request(CDN, failure=Failure.TLS_CERT_AUTHORITY_INVALID, tls=TLS_ISSUER),
        ),
        "client.tls_interception",
    ),
    "every certificate is out of date": (
        failed(page(failure=Failure.TLS_CERT_DATE_INVALID), request(CDN, failure=Failure.TLS_CERT_DATE_INVALID)),
        "client.clock",
    ),
    "every host shows a foreign name": (
        failed(page(failure=Failure.TLS_CERT_NAME_INVALID), request(CDN, failure=Failure.TLS_CERT_NAME_INVALID)),
        "client.network",
    ),
    "two needed things failed": (
        failed(page(), request(API, status=500), request(PAY, failure=Failure.TCP_REFUSED)),
        "und.multiple_causes",
    ),
    "two buttons": (failed(page(), kind=StepErrorKind.AMBIGUOUS), "und.script_or_app_change"),
    "absent though everything is green": (failed(page(), request(API)), "und.script_or_app_change"),
    "account refused": (failed(page(), request(API, status=401), error={"exchange": API}), "und.monitor_config"),
}

NEAR_MISSES = {
    "malformed data, and a vendor sent data too": (
        failed(page(), request(API), request(CDN), page_errors=(PageError(message="Unexpected token in JSON"),)),
        "und.insufficient",
    ),
    "a promise that failed for another reason": (
        failed(page(), request(API), page_errors=(PageError(message="nothing in particular"),)),
        "und.insufficient",
    ),
    "the only place to look from times out": (failed(page(failure=Failure.TCP_TIMED_OUT)), "und.path"),
    "pending before anything was reached": (failed(page(pending=True)), "und.path"),
    "one reset proves nothing": (failed(page(failure=Failure.TCP_RESET)), "und.path"),
    "one unreachable host while others answer": (
        failed(page(failure=Failure.TCP_ADDRESS_UNREACHABLE), request(CDN)),
        "und.path",
    ),
    "a browser's only name": (failed(page(failure=Failure.DNS_NAME_NOT_RESOLVED)), "und.insufficient"),
    "a resolver that fails on one name": (
        failed(page(failure=Failure.DNS_SERVER_FAILURE), request(CDN, address="192.0.2.1")),
        "und.insufficient",
    ),
    "a vendor that nobody needs": (
        failed(page(), request(ADS, resource="script", failure=Failure.TCP_REFUSED)),
        "und.insufficient",
    ),
    "a vendor nobody called critical": (failed(page(), request(CDN, status=500)), "und.insufficient"),
    "an api's ordinary 404": (failed(page(), request(API, status=404)), "und.insufficient"),
    "an own picture that is gone": (
        failed(page(), request(f"{SHOP}logo.png", resource="image", status=404)),
        "und.insufficient",
    ),
    "a request the page gave up": (failed(page(), request(API, failure=Failure.ABANDONED)), "und.script_or_app_change"),
    "a policy between us and a vendor": (
        failed(page(), request(PAY, failure=Failure.POLICY_CSP)),
        "und.insufficient",
    ),
    "a vendor's CORS header": (failed(page(), request(PAY, failure=Failure.POLICY_CORS)), "und.insufficient"),
    "an own bundle that misses a vendor's name": (
        failed(
            page(),
            request(CDN, resource="script"),
            page_errors=(PageError(message="Lib is not defined", frames=(f"{SHOP}app.js",)),),
        ),
        "und.insufficient",
    ),
    "an own bundle throws beside a vendor's empty script": (
        failed(
            page(),
            request(CDN, resource="script", body_bytes=0),
            page_errors=(PageError(message="TypeError: x is null", frames=(f"{SHOP}app.js",)),),
        ),
        "und.insufficient",
    ),
    "a vendor's exception": (
        failed(page(), page_errors=(PageError(message="boom", frames=(CDN,)),)),
        "und.insufficient",
    ),
    "an overlay of nobody knows whom": (
        failed(page(), kind=StepErrorKind.INTERCEPTED, error={"intercepted_by": '<div id="cmp">'}),
        "und.insufficient",
    ),
    "an edge nobody named": (
        failed(page(status=503, headers=(("proxy-status", "front; error=proxy_internal_error"),))),
        "und.insufficient",
    ),
    "a legal block of our own": (
        failed(page(status=451, headers=(("link", '<https://www.shop.example/why>; rel="blocked-by"'),))),
        "own.http_status",
    ),
    "407 without a proxy": (failed(page(status=407)), "own.http_status"),
    "forbidden": (failed(page(status=403)), "und.insufficient"),
    "a name that a vendor serves": (
        failed(page("https://support.shop.example/", status=503)),
        "und.shared_responsibility",
    ),
    "absent beside a console error": (
        failed(page(), console=(ConsoleMessage(level=ConsoleLevel.ERROR, text="refused"),)),
        "und.insufficient",
    ),
    "a private address that is not allowed": (
        failed(request(resource="http", failure=Failure.POLICY_ADDRESS)),
        "und.monitor_config",
    ),
    "two blocking scripts hang": (
        failed(
            page(),
            *(
                request(url, resource="script", pending=True, address="192.0.2.1", initiator=Initiator(kind="parser"))
                for url in (CDN, ADS)
            ),
            error={"message": "Page.goto: Timeout 2000ms exceeded."},
        ),
        "und.insufficient",
    ),
    "one of two certificates differs": (
        failed(page(failure=Failure.TLS_CERT_AUTHORITY_INVALID, tls=TLS_ISSUER), request(CDN)),
        "own.tls",
    ),
    "nothing at all is known": (failed(), "und.insufficient"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in {**CASES, **NEAR_MISSES}.items()])
def test_evidence_leads_to_its_detail(court, case):
    evidence, detail = case
    assert court.detail(evidence) == detail


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in {**CASES, **NEAR_MISSES}.items()])
def test_every_diagnosis_can_be_acted_on(court, case):
    diagnosis = court.judge(case[0]).diagnosis
    assert diagnosis.because.endswith(".")
    assert '"pay"' in diagnosis.because
    assert diagnosis.ruleset == RULESET
    assert diagnosis.cause is diagnosis.detail.cause
    assert (diagnosis.confidence is Confidence.NONE) == (diagnosis.cause is Cause.UNDETERMINED)
    if diagnosis.cause is Cause.UNDETERMINED:
        assert diagnosis.alternatives


def test_without_an_experiment_nothing_is_confirmed(court):
    confidences = {court.judge(evidence).diagnosis.confidence for evidence, _ in {**CASES, **NEAR_MISSES}.values()}
    assert Confidence.CONFIRMED not in confidences


def test_the_culprit_of_an_own_failure_is_the_team_of_the_capability(court):
    culprit = court.judge(failed(page(), request(API, status=500))).diagnosis.culprit
    assert (culprit.name, culprit.host) == ("team-payments", "api.shop.example")


AT_THE_DOOR = {
    "nobody listens": {"failure": Failure.TCP_REFUSED, "failed_phase": Phase.CONNECT},
    "an old certificate": {"failure": Failure.TLS_CERT_EXPIRED, "failed_phase": Phase.TLS},
}


@pytest.mark.parametrize("seen", AT_THE_DOOR.values(), ids=AT_THE_DOOR)
@pytest.mark.parametrize(
    ("hosts", "team"), [((GATEWAYS,), "gateways"), ((), "team-shop")], ids=["stated", "not stated"]
)
def test_a_host_that_could_not_be_asked_is_its_owners_whatever_it_would_have_been_asked(names, seen, hosts, team):
    ours = Court(names, replace(OWNERSHIP, hosts=hosts))
    diagnosis = ours.judge(failed(page(), request(API, **seen))).diagnosis
    assert (diagnosis.detail.cause, diagnosis.culprit.name) == (Cause.OWN_INFRASTRUCTURE, team)
    assert f"own infrastructure, {team}" in diagnosis.because


def test_a_host_that_nobody_owns_leaves_the_team_of_the_capability(names):
    ours = Court(names, replace(OWNERSHIP, default_team=None))
    diagnosis = ours.judge(failed(page(), request(API, **AT_THE_DOOR["nobody listens"]))).diagnosis
    assert diagnosis.culprit.name == "team-payments"


def test_the_culprit_of_a_foreign_failure_is_the_vendor(court):
    diagnosis = court.judge(failed(page(), request(PAY, failure=Failure.TCP_REFUSED))).diagnosis
    assert diagnosis.culprit.name == "Example Pay"
    assert "pay.payments.example" in diagnosis.because
    assert "refused the connection" in diagnosis.because


def test_a_query_never_reaches_the_sentence(court):
    evidence = failed(page(f"{SHOP}pay?token=hunter2", status=500))
    assert "hunter2" not in repr(court.judge(evidence).diagnosis.because)


def test_a_reset_that_every_attempt_saw_is_blamed(court):
    step = failed().last.steps
    attempts = tuple(an_attempt(number=number, outcome=Outcome.FAILED, steps=step) for number in (1, 2))
    resets = tuple(page(failure=Failure.TCP_RESET, attempt=number, id=str(number)) for number in (1, 2))
    assert court.detail(an_evidence(attempts=attempts, exchanges=resets)) == "own.connect"


def test_a_fault_of_an_earlier_attempt_does_not_decide(court):
    first = an_attempt(number=1, outcome=Outcome.FAILED, steps=failed().last.steps)
    second = an_attempt(number=2)
    judgement = court.judge(an_evidence(attempts=(first, second), exchanges=(page(failure=Failure.TCP_REFUSED),)))
    assert (judgement.outcome, judgement.diagnosis) == (Outcome.PASSED, None)


def test_a_refused_robot_counts_for_nothing(court):
    judgement = court.judge(failed(page(status=403, headers=(("cf-mitigated", "challenge"),))))
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.MONITOR_SPECIFIC)


def test_a_limit_that_customers_may_share_counts(court):
    judgement = court.judge(failed(page(), request(PAY, status=429)))
    assert (judgement.outcome, judgement.validity) == (Outcome.FAILED, Validity.VALID)
    assert "nothing further was asked" in judgement.diagnosis.because


def test_a_refused_sign_in_is_a_matter_of_the_monitors_account(court):
    refused = request(SIGN_IN, status=401, method="POST")
    judgement = court.judge(failed(page(), refused, error={"exchange": SIGN_IN}))
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)
    assert judgement.diagnosis.detail is Detail.UND_MONITOR_CONFIG
    assert "if that is refused too, nobody can sign in" in judgement.diagnosis.because


NOT_JUST_THE_ACCOUNT = {
    "another request of the journey": ((request(API, status=401, method="POST"),), {}),
    "something else failed too": ((request(SIGN_IN, status=401, method="POST"), request(API, status=500)), {}),
    "our code threw": (
        (request(SIGN_IN, status=401, method="POST"),),
        {"page_errors": (PageError(message="x is null", frames=(f"{SHOP}app.js",)),)},
    ),
    "our code changed": (
        (request(SIGN_IN, status=401, method="POST"),),
        {"compared": compared(difference(DifferenceKind.CONTENT, f"{SHOP}app.js", resource="script"))},
    ),
    "a vendor refuses our key": ((request(f"{PAY}/session", status=401, method="POST"),), {}),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NOT_JUST_THE_ACCOUNT.items()])
def test_a_refusal_that_may_be_everybodys_counts(court, case):
    exchanges, values = case
    judgement = court.judge(failed(page(), *exchanges, error={"exchange": exchanges[0].id}, **values))
    assert (judgement.outcome, judgement.validity) == (Outcome.FAILED, Validity.VALID)
    assert judgement.diagnosis.cause in (Cause.UNDETERMINED, Cause.OWN_INFRASTRUCTURE)


def test_a_refused_account_stays_a_failure_until_another_account_is_tried(court):
    judgement = court.judge(failed(page(), request(API, status=401), error={"exchange": API}))
    assert (judgement.outcome, judgement.validity) == (Outcome.FAILED, Validity.VALID)


def test_a_dead_proxy_of_the_profile_is_the_clients(names):
    court = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    assert court.detail(failed(page(failure=Failure.PROXY_CONNECTION_FAILED))) == "client.proxy"
    assert court.detail(failed(page(status=407))) == "client.proxy"


def test_a_refused_tunnel_may_be_the_targets_fault(names):
    court = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    assert court.detail(failed(page(failure=Failure.PROXY_TUNNEL_FAILED))) == "und.insufficient"
    both = failed(page(failure=Failure.PROXY_TUNNEL_FAILED), request(CDN, failure=Failure.PROXY_TUNNEL_FAILED))
    assert court.detail(both) == "client.proxy"


# The blame matrix, in its pure part: whatever our own fault, the run is never the site's failure and never healthy.

SITES = {
    "site ok": (page(),),
    "site down": (page(failure=Failure.TCP_REFUSED),),
    "site errs": (page(status=500),),
    "third party down": (page(), request(PAY, failure=Failure.TCP_REFUSED)),
    "everything times out": (page(pending=True),),
}
STARVED = {
    "late loop": VantageHealth(loop_lag_p50=0.2),
    "pressed for processors": VantageHealth(cpu_pressure=80.0),
    "pressed for memory": VantageHealth(memory_pressure=80.0),
    "throttled": VantageHealth(throttled_ratio=0.6),
    "lifeless browser": VantageHealth(browser_alive=False),
    "killed for memory": VantageHealth(oom_kills=1),
    "full disk": VantageHealth(disk_free_bytes=0),
}


@pytest.mark.parametrize(("site", "fault"), list(product(SITES, ProberFault)))
@pytest.mark.parametrize("said", [Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED])
def test_a_fault_of_the_prober_is_never_the_sites(court, site, fault, said):
    attempt = {"prober_fault": fault, "prober_fault_text": "gone", "outcome": said}
    judgement = court.judge(failed(*SITES[site], attempt=attempt))
    assert judgement.outcome is Outcome.INCONCLUSIVE
    assert judgement.validity is Validity.INVALID
    assert judgement.diagnosis.cause in (Cause.CLIENT_ENVIRONMENT, Cause.UNDETERMINED)


LATE = {"late loop", "pressed for processors", "throttled", "full disk"}
TURNED_AWAY = {"site down", "site errs", "third party down"}


@pytest.mark.parametrize(("site", "health"), list(product(sorted(TURNED_AWAY), sorted(LATE))))
def test_want_of_processor_time_or_disk_forges_no_refusal_and_no_status(court, site, health):
    judgement = court.judge(failed(*SITES[site], vantage=STARVED[health]))
    assert (judgement.outcome, judgement.validity) == (Outcome.FAILED, Validity.VALID)
    wanted = Cause.THIRD_PARTY if site == "third party down" else Cause.OWN_INFRASTRUCTURE
    assert judgement.diagnosis.cause is wanted


OUT_OF_MEMORY = {"pressed for memory", "killed for memory"}


@pytest.mark.parametrize("health", sorted(OUT_OF_MEMORY))
def test_want_of_memory_forges_no_error_that_the_host_itself_answered_with(court, names, health):
    errs = failed(page(status=503), vantage=STARVED[health])
    judgement = court.judge(errs)
    assert (judgement.outcome, judgement.diagnosis.detail) == (Outcome.FAILED, Detail.OWN_HTTP_STATUS)
    beside = replace(errs, exchanges=(page(status=404),))
    assert court.judge(beside).outcome is Outcome.INCONCLUSIVE, "what is not found may be asked for wrongly"
    proxied = Court(names, proxy=Proxy(url="http://proxy.example:3128"))
    assert proxied.judge(errs).outcome is Outcome.INCONCLUSIVE, "a proxy may have answered"


def _vetoed() -> list[tuple[str, str]]:
    every = product(SITES, STARVED)
    late = [(site, health) for site, health in every if site not in TURNED_AWAY or health not in LATE]
    return [(site, health) for site, health in late if site != "site errs" or health not in OUT_OF_MEMORY]


@pytest.mark.parametrize(("site", "health"), _vetoed())
def test_a_starved_vantage_blames_nobody_else(court, site, health):
    judgement = court.judge(failed(*SITES[site], vantage=STARVED[health]))
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)
    assert judgement.diagnosis.cause is Cause.CLIENT_ENVIRONMENT


@pytest.mark.parametrize(
    ("lag", "throttled", "detail"),
    [(0.001, 0.0, "und.path"), (0.02, 0.0, "client.device"), (0.001, 0.1, "client.device")],
)
def test_pressure_of_the_whole_machine_counts_only_if_we_waited_too(court, lag, throttled, detail):
    health = VantageHealth(cpu_pressure=98.0, loop_lag_p50=lag, loop_lag_max=lag, throttled_ratio=throttled)
    assert court.detail(failed(page(pending=True), vantage=health)) == detail


@pytest.mark.parametrize("failure", [Failure.TCP_ADDRESS_UNREACHABLE, Failure.PROXY_CONNECTION_FAILED])
def test_an_error_of_the_system_itself_is_not_forged_by_lateness(court, failure):
    evidence = failed(page(failure=failure, failure_text="[Errno 101]"), vantage=VantageHealth(loop_lag_p50=0.1))
    assert court.judge(evidence).outcome is Outcome.FAILED


def test_a_vantage_within_its_limits_vetoes_nothing(court):
    healthy = VantageHealth(
        loop_lag_p50=0.024,
        cpu_pressure=39.0,
        memory_pressure=39.0,
        throttled_ratio=0.19,
        disk_free_bytes=10**9,
        browser_alive=True,
        oom_kills=0,
    )
    assert court.detail(failed(page(failure=Failure.TCP_REFUSED), vantage=healthy)) == "own.connect"


@pytest.mark.parametrize("kind", [StepErrorKind.PROBER, StepErrorKind.PAGE_CRASHED])
def test_a_crash_that_only_the_step_tells_of_is_ours(court, kind):
    judgement = court.judge(failed(page(), kind=kind))
    assert (judgement.outcome, judgement.diagnosis.detail) == (Outcome.INCONCLUSIVE, Detail.CLIENT_PROBER)


def test_a_dead_browser_that_did_not_answer_either_is_sure(court):
    evidence = failed(
        page(),
        attempt={"prober_fault": ProberFault.BROWSER_CRASHED},
        vantage=VantageHealth(browser_alive=False),
    )
    assert court.judge(evidence).diagnosis.confidence is Confidence.CONFIRMED


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param({"status": 404}, "answered 404", id="an error"),
        pytest.param({"status": 200, "body_bytes": 0}, "answered 200 with nothing in it", id="nothing"),
    ],
)
def test_a_journey_whose_code_trips_over_what_the_site_sent_does_not_clear_the_site(court, answer, words):
    tripped = an_attempt(
        outcome=Outcome.INCONCLUSIVE,
        steps=(a_step(outcome=StepOutcome.INCONCLUSIVE),),
        prober_fault=ProberFault.SCRIPT,
        prober_fault_text="KeyError: 'id'",
    )
    diagnosis = court.judge(replace(failed(request(API, **answer)), attempts=(tripped,))).diagnosis
    assert diagnosis.detail.value == "und.conflict"
    assert words in diagnosis.because
    well = court.judge(replace(failed(request(API, body_bytes=5)), attempts=(tripped,))).diagnosis
    assert well.detail.value == "client.prober"


def test_a_server_error_beside_our_own_crash_is_a_conflict(court):
    evidence = failed(page(status=500), attempt={"prober_fault": ProberFault.BROWSER_CRASHED})
    assert court.detail(evidence) == "und.conflict"


def test_a_run_without_an_attempt_says_nothing_about_the_site(court):
    judgement = court.judge(an_evidence(attempts=()))
    assert (judgement.outcome, judgement.diagnosis.detail) == (Outcome.INCONCLUSIVE, Detail.CLIENT_PROBER)


def test_every_fault_of_the_prober_has_words():
    assert set(FAULTS) == set(ProberFault)


def test_a_starved_run_that_passed_has_passed(court):
    assert court.judge(passed(page(), vantage=VantageHealth(cpu_pressure=90.0))).outcome is Outcome.PASSED


# Slow runs.


def slow_run(*exchanges, health=None, **step):
    values = {"outcome": StepOutcome.DEGRADED, "duration": 4.0, "budget": 1.0, "capability": None, **step}
    attempt = an_attempt(outcome=Outcome.PASSED, duration=4.0, steps=(a_step(**values),))
    return an_evidence(attempts=(attempt,), exchanges=exchanges, duration=4.0, vantage=health or VantageHealth())


def taking(seconds, *, start=0.0, **phases):
    return Timings(started=start, total=seconds, **(phases or {"wait": seconds}))


SLOW = {
    "own api waits": (slow_run(request(API, timings=taking(3.5))), "own.slow_backend"),
    "own api sends slowly": (slow_run(request(API, timings=taking(3.5, wait=0.1, receive=3.4))), "own.slow_delivery"),
    "own handshake": (slow_run(request(API, timings=taking(3.5, connect=0.1, tls=3.0, wait=0.4))), "own.slow_delivery"),
    "forty calls in a row": (
        slow_run(*(request(f"{API}/{n}", timings=taking(0.09, start=n * 0.1)) for n in range(40))),
        "own.slow_frontend",
    ),
    "blocking vendor": (slow_run(page(timings=taking(0.2)), request(CDN, timings=taking(3.4, start=0.3))), "tp.slow"),
    "both at once": (
        slow_run(request(API, timings=taking(3.5)), request(PAY, timings=taking(3.5))),
        "und.multiple_causes",
    ),
    "half and half": (
        slow_run(request(API, timings=taking(2.0)), request(PAY, timings=taking(2.0, start=2.0))),
        "und.multiple_causes",
    ),
    "nobody was waited for": (slow_run(page(timings=taking(0.2))), "und.insufficient"),
    "an advertisement streams beside": (
        slow_run(page(timings=taking(0.2)), request(ADS, timings=taking(3.8, start=0.2))),
        "und.insufficient",
    ),
    "reaching the host took long": (
        slow_run(request(API, timings=taking(3.5, connect=3.3, wait=0.2))),
        "und.insufficient",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in SLOW.items()])
def test_a_slow_run_is_degraded_and_blames_only_who_alone_explains_it(court, case):
    evidence, detail = case
    judgement = court.judge(evidence)
    assert judgement.outcome is Outcome.DEGRADED
    assert judgement.diagnosis.detail.value == detail


def test_a_throttled_profile_leaves_slowness_open(names):
    court = Court(names, network=Network(name="3g"))
    diagnosis = court.judge(slow_run(request(API, timings=taking(3.5)))).diagnosis
    assert diagnosis.cause is Cause.UNDETERMINED
    assert Detail.CLIENT_SLOW_LINK in {other.detail for other in diagnosis.alternatives}


def test_a_slow_run_of_a_starved_monitor_is_not_the_sites(court):
    judgement = court.judge(slow_run(request(API, timings=taking(3.5)), health=VantageHealth(loop_lag_p50=0.1)))
    assert (judgement.outcome, judgement.diagnosis.detail) == (Outcome.INCONCLUSIVE, Detail.CLIENT_DEVICE)


def test_a_journey_over_its_own_budget_is_degraded(names):
    court = Court(names)
    check = court.context.check
    tight = type(court.context)(
        check=type(check)(**{**_fields(check), "budget": dt.timedelta(seconds=0.5)}),
        owners=court.context.owners,
    )
    assert judge(passed(page()), tight).outcome is Outcome.DEGRADED


def _fields(value):
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}


def test_time_is_split_by_party(court):
    timings = dict(
        court.judge(
            passed(page(timings=taking(0.5)), request(PAY, timings=taking(0.4, start=0.5))),
        ).timings,
    )
    assert timings == {"own_infrastructure": 0.5, "third_party": 0.4}


# Collateral.


def test_what_did_not_hurt_is_collateral_of_a_run_that_passed(court):
    judgement = court.judge(
        passed(
            page(),
            request(ADS, failure=Failure.TCP_REFUSED),
            request(f"{ADS}?again", failure=Failure.TCP_REFUSED),
            request(f"{SHOP}logo.png", resource="image", status=404),
        ),
    )
    assert judgement.outcome is Outcome.PASSED
    found = {(each.cause, each.host, each.failure, each.count) for each in judgement.collateral}
    assert found == {
        (Cause.THIRD_PARTY, "ads.adverts.example", Failure.TCP_REFUSED, 2),
        (Cause.OWN_INFRASTRUCTURE, "www.shop.example", Failure.HTTP_ERROR, 1),
    }


@pytest.mark.parametrize(
    "harmless",
    [
        request(ADS, pending=True),
        request(API, failure=Failure.ABANDONED),
        request(CDN, resource="preconnect", failure=Failure.TCP_REFUSED),
        request(PAY, failure=Failure.BLOCKED_BY_INTERVENTION),
        request(PAY, failure=Failure.TCP_REFUSED, intervention=True),
    ],
    ids=["pending", "given up", "speculative", "blocked by us", "our experiment"],
)
def test_what_is_no_defect_is_not_collateral(court, harmless):
    assert court.judge(passed(page(), harmless)).collateral == ()


def test_in_a_failed_run_only_trades_that_no_step_needs_are_collateral(court):
    judgement = court.judge(
        failed(page(status=500), request(ADS, failure=Failure.TCP_REFUSED), request(CDN, failure=Failure.TCP_REFUSED)),
    )
    assert {each.host for each in judgement.collateral} == {"ads.adverts.example"}


def test_an_experiment_of_ours_is_never_evidence(court):
    evidence = failed(page(), request(PAY, failure=Failure.TCP_REFUSED, intervention=True))
    assert court.detail(evidence) == "und.script_or_app_change"


def test_a_frame_that_a_script_put_there_is_not_the_page(court):
    frame = page(CDN, failure=Failure.TCP_REFUSED, initiator=Initiator(kind="script", url=ADS))
    assert court.detail(failed(page(), frame)) == "und.insufficient"


def test_a_step_that_waits_for_a_url_needs_it(court):
    evidence = failed(page(), request(CDN, failure=Failure.TCP_REFUSED), error={"awaited": "**/lib.js"})
    assert court.detail(evidence) == "tp.connect"


def test_a_selector_is_no_url(court):
    evidence = failed(page(), request(CDN, failure=Failure.TCP_REFUSED), error={"awaited": "//button[@id='lib.js']"})
    assert court.detail(evidence) == "und.insufficient"


def test_a_pending_answer_tells_reached_from_not_reached(court):
    waiting = page(pending=True, failed_phase=Phase.WAIT)
    connecting = page(pending=True, failed_phase=Phase.CONNECT)
    assert (court.detail(failed(waiting)), court.detail(failed(connecting))) == ("own.http_status", "und.path")


def test_a_link_in_the_way_tells_nothing_of_whose_script_put_it_there(court):
    link = {"intercepted_by": f'<a href="{CDN}">Accept</a>', "detail": f'navigating to "{SHOP}"'}
    assert court.detail(failed(page(), kind=StepErrorKind.INTERCEPTED, error=link)) == "und.insufficient"


def test_a_click_that_waits_for_navigations_does_not_wait_for_the_page(court):
    hanging = request(
        CDN,
        resource="script",
        pending=True,
        address="192.0.2.1",
        initiator=Initiator(kind="parser"),
    )
    error = {"message": "Page.click: Timeout", "detail": "waiting for scheduled navigations to finish"}
    assert court.detail(failed(page(), hanging, error=error)) == "und.insufficient"


def test_a_browser_that_counts_no_bytes_of_an_empty_page_is_believed(court):
    empty = page(mime_type="text/html", headers=(("content-length", "0"),))
    assert court.detail(failed(empty)) == "own.content"
    assert court.detail(failed(page(mime_type="text/html"))) == "und.script_or_app_change"


@pytest.mark.parametrize(
    ("date", "detail"),
    [("Mon, 02 Mar 2026 10:00:03 GMT", "own.tls"), ("Sun, 04 Mar 2029 10:00:00 GMT", "client.clock"), ("?", "own.tls")],
)
def test_the_clocks_of_other_hosts_tell_whether_ours_is_wrong(court, date, detail):
    evidence = failed(page(failure=Failure.TLS_CERT_DATE_INVALID), request(CDN, headers=(("date", date),)))
    assert court.detail(evidence) == detail


def test_a_page_that_an_own_script_went_to_is_needed(court):
    went = page(f"{SHOP}pay", status=500, initiator=Initiator(kind="script", url=f"{SHOP}app.js"))
    assert court.detail(failed(page(), went)) == "own.http_status"


def test_what_is_absent_may_be_the_back_ends_promise(court):
    assert "or payments behind it" in court.judge(failed(page())).diagnosis.because


def test_a_vendors_script_on_the_page_is_a_candidate_for_what_is_absent(court):
    diagnosis = court.judge(failed(page(), request(CDN, resource="script"))).diagnosis
    assert [other.detail for other in diagnosis.alternatives] == [Detail.OWN_CONTENT, Detail.TP_SCRIPT]


@pytest.mark.parametrize(
    ("failure", "other"),
    [
        (Failure.TLS_CERT_EXPIRED, Detail.CLIENT_CLOCK),
        (Failure.TLS_CERT_NAME_INVALID, Detail.CLIENT_NETWORK),
        (Failure.TLS_CERT_AUTHORITY_INVALID, Detail.CLIENT_TLS_INTERCEPTION),
    ],
)
def test_a_certificate_seen_alone_names_what_may_imitate_it(court, failure, other):
    diagnosis = court.judge(failed(page(failure=failure))).diagnosis
    assert (diagnosis.detail, diagnosis.alternatives[0].detail) == (Detail.OWN_TLS, other)


def test_rules_have_the_documented_order():
    order = list(dict.fromkeys(rule.id for rule in RULES))
    assert (
        " ".join(order) == "R01 S0 R14 R02 R06 R23 R24 R05 R04 R03 R21 R22 R13 R12 R07 R20 R19 R16 R08 R18 R11 R10 R09"
    )


def test_judging_twice_says_the_same(court):
    evidence = failed(page(), request(API, status=500))
    assert court.judge(evidence) == court.judge(evidence)


def test_evidence_of_an_older_shape_is_judged_and_of_a_newer_one_refused(court):
    old = failed(page(failure=Failure.TCP_REFUSED), schema=1)
    assert can_judge(old) is None
    assert court.detail(old) == "own.connect"
    new = failed(page(failure=Failure.TCP_REFUSED), schema=99)
    assert "newer version" in (can_judge(new) or "")
    judgement = court.judge(new)
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)
    assert "shape 99" in judgement.diagnosis.because
