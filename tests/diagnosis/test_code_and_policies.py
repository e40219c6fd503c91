"""Whose code it was: what harms, what is missing, what was kept out, and what holds the page. Must and must not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.evidence import PageError, PageEvent, ScriptTime, StepErrorKind
from monitor.domain.exchange import Initiator, Timings
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Validity
from monitor.domain.ownership import HostOwner
from monitor.domain.profile import Network
from monitor.domain.reference import DifferenceKind
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    OWNERSHIP,
    PAY,
    SHOP,
    Court,
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
MAIN = f"{SHOP}main.js"
LIBRARIES = "cdn.libraries.example"
CONTENT, HEADER = DifferenceKind.CONTENT, DifferenceKind.HEADER
NEW, STATUS = DifferenceKind.NEW, DifferenceKind.STATUS
ABSENT = StepErrorKind.EXPECTATION
PARSER = Initiator(kind="parser", url=SHOP)


def script(url: str, **values):
    return request(url, resource="script", initiator=PARSER, **values)


def throws(url: str, message: str = "Lib is not defined", step: str = "pay") -> PageError:
    return PageError(message=message, frames=(url,), step=step)


# A script that a policy of ours kept out.

CSP_CHANGED = difference(HEADER, SHOP, resource="document", header="content-security-policy", before="a", after="b")
KEPT_OUT = script(CDN, failure=Failure.POLICY_CSP)


def test_a_script_that_our_policy_kept_out_explains_the_name_that_is_missing(court):
    """Its last good answer cannot help: what the page keeps out stays out."""
    judgement = court.judge(
        failed(
            page(),
            script(MAIN),
            KEPT_OUT,
            kind=ABSENT,
            page_errors=(throws(MAIN),),
            compared=compared(CSP_CHANGED, difference(STATUS, CDN, before="200", after="policy.csp")),
            experiments=(again(Kind.REPLAY, LIBRARIES, well=False), again(Kind.RERUN, well=False)),
        )
    )
    assert (judgement.diagnosis.detail, judgement.diagnosis.rule) == (Detail.OWN_POLICY, "R07")


def test_a_policy_that_did_not_change_accuses_nobody(court):
    replay = again(Kind.REPLAY, LIBRARIES, well=False)
    evidence = failed(
        page(),
        script(MAIN),
        KEPT_OUT,
        kind=ABSENT,
        page_errors=(throws(MAIN),),
        compared=compared(),
        experiments=(replay,),
    )
    assert court.detail(evidence) == "und.insufficient"


def test_content_whose_last_good_answer_is_refused_as_well_is_not_what_changed(court):
    """The attribute of our page is at fault, or nobody: the vendor was cleared."""
    refused = script(CDN, failure=Failure.POLICY_SRI)
    other = difference(CONTENT, CDN, resource="script", before="900:a", after="900:b")
    evidence = failed(
        page(),
        script(MAIN),
        refused,
        kind=ABSENT,
        page_errors=(throws(MAIN),),
        compared=compared(other),
        experiments=(again(Kind.REPLAY, LIBRARIES, well=False),),
    )
    assert court.detail(evidence) == "und.insufficient"


# The last good answer of a vendor mends the step: harm or lack?

CHANGED = difference(CONTENT, CDN, resource="script", before="94:a", after="321:b")
MENDED = proven(Kind.REPLAY, LIBRARIES)
LACK_OR_HARM = {
    "code that nobody misses did harm": ({}, (), "tp.script"),
    "without it the step passes": (
        {"page_errors": (throws(MAIN),)},
        (again(Kind.BLOCK, LIBRARIES, well=True),),
        "tp.script",
    ),
    "without it the step fails as well": ({}, (again(Kind.BLOCK, LIBRARIES, well=False),), "tp.content"),
    "our own code misses something from it": ({"page_errors": (throws(MAIN),)}, (), "tp.content"),
    "its own code throws": ({"page_errors": (throws(CDN, "x is null"),)}, (), "tp.script"),
    "it holds the page": ({"scripts": (ScriptTime(url=CDN, seconds=1.9, step="pay"),)}, (), "tp.slow"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in LACK_OR_HARM.items()])
def test_code_that_does_harm_is_told_from_code_that_is_missing(court, case):
    values, experiments, detail = case
    evidence = failed(
        page(),
        script(MAIN),
        script(CDN),
        kind=ABSENT,
        compared=compared(CHANGED),
        experiments=(*experiments, *MENDED),
        **values,
    )
    judgement = court.judge(evidence)
    assert judgement.diagnosis.detail.value == detail
    assert judgement.diagnosis.culprit.name == "Libraries"


# What cannot be read at all.

UNPARSED = PageError(message="Unexpected end of input", frames=(PAY,), step="pay")
MARKUP = "Unexpected token '<', \"<h1>Sign in\" is not valid JSON"
SESSION = "https://pay.payments.example/session"
HTML = {"mime_type": "text/html", "resource": "fetch"}
UNREADABLE = {
    "the payment vendor's script does not parse": (
        (script(PAY),),
        (UNPARSED, throws(SHOP, "Till is not defined")),
        "tp.script",
    ),
    "the name is missed first": ((script(PAY),), (throws(SHOP, "Till is not defined"), UNPARSED), "tp.script"),
    "a needed vendor's script does not parse": ((script(PAY),), (UNPARSED,), "tp.script"),
    "a vendor's that nobody misses": ((script(CDN),), (throws(CDN, "Unexpected end of input"),), "und.insufficient"),
    "an advertiser's, and our own code misses a name": (
        (script(ADS),),
        (throws(ADS, "Unexpected token '}'"), throws(MAIN)),
        "und.insufficient",
    ),
    "two vendors' scripts": (
        (script(PAY), script(CDN)),
        (UNPARSED, throws(CDN, "Unexpected end of input"), throws(MAIN)),
        "und.insufficient",
    ),
    "our own script does not parse": ((script(CDN),), (throws(MAIN, "Invalid or unexpected token"),), "own.script"),
    "our own does not, and the page misses its name": (
        (script(CDN),),
        (throws(MAIN, "missing ) after argument list"), throws(SHOP, "Shop is not defined")),
        "own.script",
    ),
    "a vendor's own code reads a page as data": ((request(SESSION, **HTML),), (throws(PAY, MARKUP),), "tp.content"),
    "a promise of nobody's reads a vendor's page as data": (
        (request(SESSION, **HTML),),
        (PageError(message=MARKUP, step="pay"),),
        "tp.content",
    ),
    "our own api sends a page": ((request(API, **HTML),), (throws(MAIN, MARKUP),), "own.content"),
    "a page of ours, and nobody knows what the vendor sent": (
        (request(API, **HTML), request(SESSION, resource="fetch")),
        (throws(PAY, MARKUP),),
        "und.insufficient",
    ),
    "both sent a page": (
        (request(API, **HTML), request(SESSION, **HTML)),
        (throws(PAY, MARKUP),),
        "und.insufficient",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in UNREADABLE.items()])
def test_what_cannot_be_read_is_whose_it_is(court, case):
    exchanges, errors, detail = case
    judgement = court.judge(failed(page(), script(MAIN), *exchanges, kind=ABSENT, page_errors=errors))
    assert judgement.diagnosis.detail.value == detail
    assert judgement.diagnosis.confidence is not Confidence.CONFIRMED


def test_markup_that_was_always_sent_is_not_what_cannot_be_read(court):
    evidence = failed(
        page(), request(API, **HTML), kind=ABSENT, page_errors=(throws(PAY, MARKUP),), compared=compared()
    )
    assert court.detail(evidence) == "und.insufficient"


def test_a_vendor_that_refuses_its_own_script_is_never_ours(court):
    refused = request(SESSION, resource="fetch", method="POST", status=401)
    thrown = (throws(PAY, "Till got no token"),)
    before = compared(difference(STATUS, SESSION, resource="fetch", before="200", after="401"))
    for comparison in (None, compared(), before):
        judgement = court.judge(failed(page(), refused, kind=ABSENT, page_errors=thrown, compared=comparison))
        assert judgement.diagnosis.detail in (Detail.UND_INSUFFICIENT, Detail.UND_SHARED_RESPONSIBILITY)
        assert judgement.validity is Validity.VALID
    assert judgement.diagnosis.detail is Detail.UND_SHARED_RESPONSIBILITY


# Our own script holds the page.

OWN_CHANGED = difference(CONTENT, MAIN, resource="script", before="900:a", after="901:b")
OWN_MENDED = proven(Kind.REPLAY, WWW)


def test_an_own_script_that_holds_the_page_is_slow_and_no_change_of_the_page(court):
    busy = (ScriptTime(url=MAIN, seconds=1.8, step="pay"),)
    judgement = court.judge(
        failed(page(), script(MAIN), kind=ABSENT, scripts=busy, compared=compared(OWN_CHANGED), experiments=OWN_MENDED)
    )
    assert judgement.diagnosis.detail is Detail.OWN_SLOW_FRONTEND
    assert judgement.diagnosis.confidence is Confidence.CONFIRMED


def test_an_own_page_that_differs_and_is_idle_stays_a_change(court):
    idle = (ScriptTime(url=MAIN, seconds=0.3, step="pay"), ScriptTime(url=MAIN, seconds=9.0, step="browse"))
    evidence = failed(
        page(), script(MAIN), kind=ABSENT, scripts=idle, compared=compared(OWN_CHANGED), experiments=OWN_MENDED
    )
    assert court.detail(evidence) == "und.script_or_app_change"


# A page that takes nothing in any more.

TAGS = "https://tag.labels.example/t.js"
SEEN = {"body_sha256": "a", "timings": Timings(started=0.1, total=0.1)}
OPEN = {"pending": True, "timings": Timings(started=0.2, total=1.8)}
HELD = (
    page(**SEEN),
    script(TAGS, timings=Timings(started=0.2, total=0.1)),
    script(MAIN, **OPEN),
    script(CDN, **OPEN),
    script(ADS, **OPEN),
)
ANSWERS = (*controls(), *(look(Kind.REPROBE, WWW, url=MAIN) for _ in range(3)))
LASTS = again(Kind.RERUN, well=False)


def held(court, exchanges=HELD, differences=(), experiments=(*ANSWERS, LASTS), **values):
    comparison = compared(*differences) if differences is not None else None
    return court.judge(failed(*exchanges, compared=comparison, experiments=experiments, **values)).diagnosis


def test_a_page_that_stands_still_was_held_by_the_only_code_that_may_be_new(court):
    diagnosis = held(court)
    assert (diagnosis.detail, diagnosis.rule, diagnosis.confidence) == (Detail.TP_SLOW, "R19", Confidence.PROBABLE)
    assert diagnosis.culprit.host == "tag.labels.example"


NOT_HELD_BY_IT = {
    "its code is what it was": {"exchanges": (HELD[0], script(TAGS, **SEEN), *HELD[2:])},
    "nobody knows what the page was": {"differences": None},
    "our page changed": {"differences": (difference(CONTENT, SHOP, resource="document"),)},
    "more code had come": {"exchanges": (*HELD[:2], script("https://x.chat.example/c.js"), *HELD[2:])},
    "it passed when made again": {"experiments": (*ANSWERS, again(Kind.RERUN, well=True))},
    "nobody made it again": {"experiments": ANSWERS},
    "it was cleared": {"experiments": (*ANSWERS, again(Kind.BLOCK, "tag.labels.example", well=False), LASTS)},
    "our own host does not answer us either": {
        "experiments": (*controls(), look(Kind.REPROBE, WWW, url=MAIN, failure=Failure.TCP_TIMED_OUT), LASTS)
    },
    "nobody asked our own host": {"experiments": (*controls(), LASTS)},
    "something came in till the end": {"exchanges": (*HELD, request(API, timings=Timings(started=1.5, total=0.4)))},
    "only our own host is open": {"exchanges": HELD[:3]},
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NOT_HELD_BY_IT.items()])
def test_a_page_that_stands_still_accuses_nobody_on_less(court, case):
    assert held(court, **case).cause is Cause.UNDETERMINED


def test_a_slow_line_is_no_page_that_stands_still(names):
    court = Court(names, network=Network(name="slow", latency=dt.timedelta(seconds=2)))
    assert held(court).rule != "R19"


def test_a_vendor_without_whose_script_a_page_that_stands_still_goes_on_held_it(court):
    blocked = again(Kind.BLOCK, "tag.labels.example", well=True)
    diagnosis = held(court, experiments=(*ANSWERS, blocked, LASTS))
    assert (diagnosis.detail, diagnosis.rule) == (Detail.TP_SLOW, "R20")
    assert diagnosis.culprit.host == "tag.labels.example"


def test_the_seconds_of_a_script_may_be_known_from_the_journey_made_again(court):
    seconds = (ScriptTime(url=TAGS, seconds=1.5, step="pay"),)
    tried = (again(Kind.BLOCK, "tag.labels.example", well=True), again(Kind.RERUN, well=False, scripts=seconds))
    assert court.detail(failed(page(), script(TAGS), kind=ABSENT, experiments=tried)) == "tp.slow"
    idle = (tried[0], LASTS)
    assert court.detail(failed(page(), script(TAGS), kind=ABSENT, experiments=idle)) == "tp.script"


HALF = page(pending=True, status=200, timings=Timings(started=0.1, total=1.9))


def test_an_answer_that_began_is_not_blamed_on_the_host_before_it_was_asked_again(court):
    """A script that never lets go keeps the page from taking in even the rest of itself."""
    assert court.detail(failed(HALF, script(TAGS))) == "und.insufficient"
    whole = look(Kind.REPROBE, WWW, url=SHOP)
    assert court.detail(failed(HALF, script(TAGS), experiments=(*controls(), whole))) == "und.insufficient"
    lets_go = (whole, again(Kind.BLOCK, "tag.labels.example", well=True), LASTS)
    judgement = court.judge(failed(HALF, script(TAGS), experiments=(*controls(), *lets_go)))
    assert judgement.diagnosis.cause is Cause.THIRD_PARTY
    cut = look(Kind.REPROBE, WWW, url=SHOP, failure=Failure.HTTP_RESPONSE_TIMED_OUT)
    assert court.detail(failed(HALF, script(TAGS), experiments=(*controls(), cut))) == "own.http_status"


SILENT = request(API, pending=True, address="192.0.2.1", timings=Timings(started=0.1, total=1.9))
HANGS = look(Kind.REPROBE, "api.shop.example", url=API, failure=Failure.HTTP_RESPONSE_TIMED_OUT)
SILENCE = {
    "no code of vendors came": ((), {"compared": compared()}, "own.http_status"),
    "their code is what it was": ((script(CDN, body_sha256="a"),), {"compared": compared()}, "own.http_status"),
    "their code could not be read": ((script(CDN),), {"compared": compared()}, "und.insufficient"),
    "their code changed": ((script(CDN, body_sha256="b"),), {"compared": compared(CHANGED)}, "und.insufficient"),
    "our own socket gets no answer either": (
        (script(CDN),),
        {"compared": compared(), "experiments": (HANGS,)},
        "own.http_status",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in SILENCE.items()])
def test_silence_that_a_held_page_may_feign_is_not_held_against_us(court, case):
    exchanges, values, detail = case
    assert court.detail(failed(page(), *exchanges, SILENT, **values)) == detail


WAITS = request(PAY, pending=True, address="192.0.2.1", timings=Timings(started=0.1, total=1.9))
SPEAKS = look(Kind.REPROBE, "pay.payments.example", url=PAY)
MUTE = look(Kind.REPROBE, "pay.payments.example", url=PAY, failure=Failure.HTTP_RESPONSE_TIMED_OUT)
OF_ITS_OWN = replace(CHANGED, url=f"{PAY}.js", host="pay.payments.example")
VENDORS_SILENCE = {
    "it answers, and another vendor's code changed": (SPEAKS, CHANGED, "und.insufficient"),
    "it answers, and only its own code changed": (SPEAKS, OF_ITS_OWN, "tp.slow"),
    "it is as silent as before": (MUTE, CHANGED, "tp.slow"),
    "it was not asked again": (None, CHANGED, "tp.slow"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in VENDORS_SILENCE.items()])
def test_silence_of_a_vendor_that_a_held_page_may_feign_is_not_held_against_it_once_it_answers(court, case):
    again, changed, detail = case
    values = {"compared": compared(changed), "experiments": (*controls(), *filter(None, (again,)))}
    assert court.detail(failed(page(), script(changed.url, body_sha256="b"), WAITS, **values)) == detail


def test_a_script_that_was_measured_to_hold_the_page_stays_named_when_the_fault_is_gone(court):
    gone = again(Kind.RERUN, well=True)
    busy = (ScriptTime(url=CDN, seconds=1.9, step="pay"),)
    values = {"kind": ABSENT, "scripts": busy, "experiments": (gone,)}
    judgement = court.judge(failed(page(), script(CDN), compared=compared(CHANGED), **values))
    assert (judgement.diagnosis.detail, judgement.diagnosis.confidence) == (Detail.TP_SLOW, Confidence.PROBABLE)
    assert court.detail(failed(page(), script(CDN), compared=compared(), **values)) == "und.not_reproduced"


# Two things failed in one step.

FAILED_NOW = difference(STATUS, CDN, resource="script", before="200", after="tcp.refused")
REFUSED = script(CDN, failure=Failure.TCP_REFUSED)
TWO = {
    "each of them is new": ({"compared": compared(FAILED_NOW)}, "und.multiple_causes"),
    "nobody knows whether it is new": ({}, "own.http_status"),
    "the other failed before": ({"compared": compared()}, "own.http_status"),
    "the other was cleared": (
        {"compared": compared(FAILED_NOW), "experiments": (again(Kind.REPLAY, LIBRARIES, well=False),)},
        "own.http_status",
    ),
    "the step itself waited for ours": (
        {"compared": compared(FAILED_NOW), "error": {"exchange": API}},
        "own.http_status",
    ),
    "ours alone mends it": (
        {"compared": compared(FAILED_NOW), "experiments": (again(Kind.REPLAY, "api.shop.example", well=True), LASTS)},
        "own.http_status",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in TWO.items()])
def test_two_failures_of_two_parties_are_weighed_against_each_other(court, case):
    values, detail = case
    assert court.detail(failed(page(), request(API, status=500), REFUSED, kind=ABSENT, **values)) == detail


# A vendor's script that leads customers away.

PRIZE = "https://win.prizes.example/now"
AWAY = page(PRIZE, initiator=Initiator(kind="script", url=ADS), timings=Timings(started=1.0, total=0.1))
LED = difference(NEW, PRIZE, resource="document")
AT = "expected the page /pay, but the browser is at https://win.prizes.example/now"
LEADS = {
    "an advertiser's script led to a stranger's page": ((AWAY,), (LED,), (LASTS,), "tp.script"),
    "it did so before": ((AWAY,), (), (LASTS,), "und.script_or_app_change"),
    "other pages of that host were known": (
        (AWAY,),
        (LED, difference(DifferenceKind.MISSING, f"{PRIZE}?id=1", resource="document")),
        (LASTS,),
        "und.script_or_app_change",
    ),
    "a page of ours came after it": (
        (AWAY, page(f"{SHOP}next", timings=Timings(started=1.5))),
        (LED,),
        (LASTS,),
        "und.script_or_app_change",
    ),
    "our own script opened it": (
        (page(PRIZE, initiator=Initiator(kind="script", url=MAIN), timings=Timings(started=1.0)),),
        (LED,),
        (LASTS,),
        "und.script_or_app_change",
    ),
    "our own code changed too": ((AWAY,), (LED, OWN_CHANGED), (LASTS,), "und.script_or_app_change"),
    "nobody made the journey again": ((AWAY,), (LED,), (), "und.script_or_app_change"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in LEADS.items()])
def test_a_script_that_leads_customers_away_is_its_owners(court, case):
    exchanges, differences, experiments, detail = case
    values = {"kind": ABSENT, "compared": compared(*differences), "experiments": experiments}
    judgement = court.judge(failed(page(), script(MAIN), *exchanges, error={"message": AT}, **values))
    assert judgement.diagnosis.detail.value == detail
    # A page in a frame is no page that the customer was led to.
    assert court.detail(failed(page(), script(MAIN), *exchanges, **values)) == "und.script_or_app_change"
    if detail == "tp.script":
        assert judgement.diagnosis.culprit.host == "ads.adverts.example"


def test_a_page_of_our_name_that_only_a_changed_vendors_script_asked_for_is_not_missed_by_us(court):
    promo = f"{SHOP}promo"
    by = Initiator(kind="script", url=ADS)
    late = Timings(started=1.0)
    gone = page(promo, initiator=by, failure=Failure.DNS_NAME_NOT_RESOLVED, timings=late)
    led = difference(NEW, promo, resource="document")
    turned = difference(DifferenceKind.CONTENT, ADS, resource="script")
    values = {"kind": ABSENT, "error": {"message": AT.replace("win.prizes.example", WWW)}, "experiments": (LASTS,)}

    def said(*differences):
        return court.detail(failed(page(), script(MAIN), gone, compared=compared(*differences), **values))

    assert said(led, turned) == "tp.script"
    # From there nobody comes as far as our next page, which would ask for its script.
    assert said(led, turned, difference(DifferenceKind.MISSING, f"{SHOP}till.js", resource="script")) == "tp.script"
    # The vendor's code is what it was, or a page of ours is not: then it may be we who sent it there.
    assert said(led) != "tp.script"
    assert said(led, turned, difference(DifferenceKind.CONTENT, SHOP, resource="document")) != "tp.script"


# Whose page it was.


def test_a_policy_of_the_page_is_the_pages_teams_and_one_of_an_answer_its_own(names):
    owners = replace(
        OWNERSHIP,
        hosts=(HostOwner(host="api.shop.example", team="api"), HostOwner(host=WWW, team="web")),
        capabilities=(),
    )
    court = Court(names, owners)
    plain = request(API, failure=Failure.POLICY_MIXED_CONTENT)
    assert court.judge(failed(page(), plain)).diagnosis.culprit.name == "web"
    closed = request(API, failure=Failure.POLICY_CORS)
    assert court.judge(failed(page(), closed)).diagnosis.culprit.name == "api"


def test_a_page_that_crashed_while_a_step_looked_on_is_the_monitors(court):
    crash = (PageEvent(kind="crash", text=SHOP, step="pay"),)
    judgement = court.judge(failed(page(), kind=ABSENT, events=crash))
    assert (judgement.diagnosis.detail, judgement.validity) == (Detail.CLIENT_PROBER, Validity.INVALID)
    earlier = (PageEvent(kind="crash", text=SHOP, step="browse"),)
    assert court.judge(failed(page(), kind=ABSENT, events=earlier)).validity is Validity.VALID


def test_what_a_page_asked_for_that_was_left_since_is_not_held_against_anybody(court):
    open_before = request(API, step="browse", pending=True, timings=Timings(started=0.1, total=3.0))
    arrived = page(f"{SHOP}pay", timings=Timings(started=1.0, total=0.1))
    assert court.detail(failed(open_before, arrived, kind=ABSENT)) == "und.script_or_app_change"
    before = page(timings=Timings(started=0.0, total=0.1), step="browse")
    assert court.detail(failed(before, open_before, kind=ABSENT)) == "und.insufficient"


def test_what_failed_in_the_good_run_too_is_needed_by_nobody(court):
    refused = request(PAY, resource="script", failure=Failure.TCP_REFUSED)
    assert court.detail(failed(refused, kind=ABSENT)) == Detail.TP_CONNECT
    as_before = replace(compared(), failed_alike=(refused.id,))
    judgement = court.judge(failed(refused, kind=ABSENT, compared=as_before))
    assert judgement.diagnosis.cause is Cause.UNDETERMINED
    assert "pay.payments.example" not in judgement.diagnosis.because


def test_what_the_step_itself_waits_for_is_needed_however_it_began(court):
    answer = request(API, status=404, failure=Failure.HTTP_ERROR)
    as_before = replace(compared(), failed_alike=(answer.id,))
    evidence = failed(answer, error={"exchange": answer.id}, compared=as_before)
    assert court.detail(evidence) == Detail.OWN_HTTP_STATUS
