from __future__ import annotations

import datetime as dt
from dataclasses import replace

from monitor.domain.evidence import StepErrorKind
from monitor.domain.exchange import Certificate, Timings, TlsFacts
from monitor.domain.failure import Failure
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Answer, DifferenceKind, Reference
from monitor.investigation.comparison import MOST_DIFFERENCES, compare
from tests.builders import A_MOMENT, an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, API, CDN, SHOP, a_step, failed, request

LATER = A_MOMENT + dt.timedelta(minutes=10)


def an_answer(url: str = CDN, **values) -> Answer:
    host = url.split("/")[2]
    return Answer(
        **{"url": url, "host": host, "step": "pay", "resource": "script", "status": 200, "sha256": "a", **values}
    )


def a_reference(*answers: Answer) -> Reference:
    return Reference(run_id="good", taken_at=A_MOMENT, answers=answers)


def differences(evidence, *answers: Answer):
    return [(each.kind, each.url) for each in compare(evidence, a_reference(*answers), LATER).differences]


def test_a_run_that_is_as_before_does_not_differ():
    found = compare(failed(request(CDN, body_sha256="a")), a_reference(an_answer()), LATER)
    assert (found.run_id, found.age, found.differences) == ("good", 600.0, ())


def test_other_bytes_another_status_and_another_policy_are_told():
    evidence = failed(
        request(CDN, body_sha256="b", body_bytes=7),
        request(SHOP, headers=(("content-security-policy", "default-src 'none'"), ("cache-control", "no-store"))),
        request(ADS, status=503),
    )
    found = compare(evidence, a_reference(an_answer(size=5), an_answer(SHOP), an_answer(ADS)), LATER).differences
    told = {each.kind: each for each in found}
    assert (told[DifferenceKind.CONTENT].before, told[DifferenceKind.CONTENT].after) == ("5:a", "7:b")
    assert (told[DifferenceKind.STATUS].before, told[DifferenceKind.STATUS].after) == ("200", "503")
    assert [each.header for each in found if each.kind is DifferenceKind.HEADER] == ["content-security-policy"]


def test_what_a_page_asked_for_that_was_left_is_not_compared_where_the_next_page_got_an_answer():
    left, open_still = {"failure": Failure.ABANDONED, "status": None}, {"pending": True, "failure": Failure.PENDING}
    cut = request(CDN, status=401, truncated=True)
    whole = request(CDN, body_sha256="a")
    for unseen in (request(CDN, **left), request(CDN, status=None, **open_still), cut):
        assert differences(failed(unseen, whole), an_answer()) == []
        assert differences(failed(unseen), an_answer()) == [(DifferenceKind.STATUS, CDN)]
    ghost = an_answer(status=None, failure="abandoned", sha256=None)
    assert differences(failed(whole), ghost, an_answer()) == []
    refused = failed(request(CDN, status=401))
    (difference,) = compare(refused, a_reference(ghost, an_answer()), LATER).differences
    assert (difference.before, difference.after) == ("200", "401")


def test_of_answers_that_ended_alike_the_one_that_was_read_is_compared():
    unread, read = request(CDN, body_sha256=None), request(CDN, body_sha256="b")
    assert differences(failed(unread, read), an_answer(sha256=None), an_answer()) == [(DifferenceKind.CONTENT, CDN)]
    # One that failed at first and came when it was asked for again has failed.
    assert differences(failed(request(CDN, status=500), read), an_answer()) == [(DifferenceKind.STATUS, CDN)]


def test_what_was_given_up_for_another_page_does_not_differ_and_what_the_page_gave_up_itself_does():
    given_up = request(CDN, status=None, failure=Failure.ABANDONED, timings=Timings(started=1.0, total=0.5))
    page = request(SHOP, resource="document", timings=Timings(started=1.2, total=0.1))
    assert differences(failed(given_up, page), an_answer(), an_answer(SHOP, resource="document", sha256=None)) == []
    later = replace(page, timings=Timings(started=2.0, total=0.1))
    found = differences(failed(given_up, later), an_answer(), an_answer(SHOP, resource="document", sha256=None))
    assert found == [(DifferenceKind.STATUS, CDN)]
    assert differences(failed(request(CDN)), an_answer(status=None, failure="pending", sha256=None)) == []


def test_an_answer_that_came_empty_has_other_content():
    assert differences(failed(request(CDN, body_bytes=0)), an_answer()) == [(DifferenceKind.CONTENT, CDN)]


def test_what_was_not_asked_for_is_missed_only_where_it_was_time():
    steps = (
        a_step(name="open", outcome=StepOutcome.PASSED),
        a_step(),
        a_step(name="thanks", outcome=StepOutcome.NOT_REACHED),
    )
    evidence = failed(kind=StepErrorKind.EXPECTATION, attempt={"steps": steps})
    answers = (
        an_answer("https://a.example/open.png", step="open", resource="image"),
        an_answer("https://a.example/pay.js", step="pay"),
        an_answer("https://a.example/pay.png", step="pay", resource="image"),
        an_answer("https://a.example/thanks.js", step="thanks"),
    )
    assert differences(evidence, *answers) == [
        (DifferenceKind.MISSING, "https://a.example/pay.js"),
        (DifferenceKind.MISSING, "https://a.example/open.png"),
    ]


def test_new_code_is_told_and_only_the_deciding_attempt_counts():
    evidence = failed(request(ADS, resource="script"), request(CDN, attempt=2))
    assert differences(evidence) == [(DifferenceKind.NEW, ADS)]


def test_code_comes_before_pictures_and_no_more_is_told_than_the_limit():
    many = [request(f"https://a.example/{number}.png", resource="image") for number in range(MOST_DIFFERENCES + 10)]
    evidence = an_evidence(attempts=(an_attempt(),), exchanges=(*many, request(CDN, resource="script")))
    found = compare(evidence, a_reference(), LATER).differences
    assert len(found) == MOST_DIFFERENCES
    assert found[0].url == CDN


def test_what_failed_in_the_good_run_too_is_told_as_such_and_does_not_differ():
    refused = request(CDN, status=None, failure=Failure.TCP_REFUSED)
    was = an_answer(status=None, sha256=None, failure="tcp.refused")
    found = compare(failed(refused), a_reference(was), LATER)
    assert (found.differences, found.failed_alike) == ((), (refused.id,))


def test_an_answer_that_the_page_may_not_read_any_more_is_no_old_failure_though_its_status_is_the_same():
    withheld = request(API, resource="fetch", status=200, failure=Failure.POLICY_CORS)
    read = an_answer(API, resource="fetch", sha256=None)
    assert compare(failed(withheld), a_reference(read), LATER).failed_alike == ()
    before = an_answer(API, resource="fetch", sha256=None, failure="policy.cors")
    assert compare(failed(withheld), a_reference(before), LATER).failed_alike == (withheld.id,)


def test_a_failure_is_not_as_before_where_the_good_run_got_an_answer_in_the_end_or_another_failure():
    refused = request(CDN, status=None, failure=Failure.TCP_REFUSED)
    was = an_answer(status=None, sha256=None, failure="tcp.refused")
    assert not compare(failed(refused), a_reference(was, an_answer()), LATER).failed_alike
    other = an_answer(status=None, sha256=None, failure="dns.name_not_resolved")
    found = compare(failed(refused), a_reference(other), LATER)
    assert not found.failed_alike
    assert [(each.kind, each.before) for each in found.differences] == [(DifferenceKind.STATUS, other.failure)]


def test_what_the_good_run_gave_up_once_leaves_an_old_failure_one_and_what_always_stays_open_is_one():
    refused = request(CDN, status=None, failure=Failure.TCP_REFUSED)
    was = an_answer(status=None, sha256=None, failure="tcp.refused")
    left, hung = replace(was, failure="abandoned"), replace(was, failure="pending")
    assert compare(failed(refused), a_reference(left, was), LATER).failed_alike == (refused.id,)
    assert compare(failed(refused), a_reference(left), LATER).failed_alike == ()
    hangs = request(CDN, status=None, failure=Failure.PENDING, pending=True)
    assert compare(failed(hangs), a_reference(hung), LATER).failed_alike == (hangs.id,)


def over_http(url: str = API, **values):
    return request(url, **{"resource": "http", "body_sha256": "a", "body_bytes": 900, **values})


def an_http_answer(url: str = API, **values) -> Answer:
    return an_answer(url, **{"resource": "http", "size": 900, **values})


def signed_by(issuer: str) -> TlsFacts:
    return TlsFacts(chain=(Certificate(subject="CN=api", issuer=issuer),))


def test_over_http_status_bytes_type_and_where_a_redirect_leads_are_compared():
    before = an_http_answer(headers=(("content-type", "application/json"), ("location", "https://b.example/in")))
    same = over_http(headers=(("content-type", "application/json"), ("location", "https://b.example/in?code=2")))
    other = over_http(
        body_sha256="b", headers=(("content-type", "text/html"), ("location", "https://c.example/in"), ("server", "x"))
    )
    assert compare(failed(same), a_reference(before), LATER).differences == ()
    found = compare(failed(other), a_reference(before), LATER).differences
    assert [(each.kind, each.header, each.after) for each in found] == [
        (DifferenceKind.CONTENT, "", "900:b"),
        (DifferenceKind.HEADER, "content-type", "text/html"),
        (DifferenceKind.HEADER, "location", "https://c.example/in"),
    ]
    assert differences(failed(over_http(status=503)), before)[0] == (DifferenceKind.STATUS, API)


def test_an_answer_that_changes_all_the_time_differs_where_next_to_nothing_of_it_came():
    often = an_http_answer(sha256=None)
    assert differences(failed(over_http(body_sha256="b", body_bytes=700)), often) == []
    assert differences(failed(over_http(body_sha256="b", body_bytes=90)), often) == [(DifferenceKind.CONTENT, API)]
    assert differences(failed(over_http(body_sha256=None, body_bytes=0)), often) == [(DifferenceKind.CONTENT, API)]


def test_that_a_host_moved_or_shows_another_certificate_is_told_once():
    known = {"addresses": ("192.0.2.1", "192.0.2.2"), "issuer": "CN=Some CA"}
    answers = (an_http_answer(**known), an_http_answer(f"{API}/2", **known))
    moved = {"address": "198.51.100.7", "tls": signed_by("CN=Other CA")}
    evidence = failed(over_http(**moved), over_http(f"{API}/2", **moved))
    found = compare(evidence, a_reference(*answers), LATER).differences
    assert [(each.kind, each.before, each.after) for each in found] == [
        (DifferenceKind.ADDRESS, "192.0.2.1, 192.0.2.2", "198.51.100.7"),
        (DifferenceKind.ISSUER, "CN=Some CA", "CN=Other CA"),
    ]
    still = over_http(address="192.0.2.2", tls=signed_by("CN=Some CA"))
    assert compare(failed(still), a_reference(*answers[:1]), LATER).differences == ()


def test_where_an_address_or_a_certificate_was_not_seen_nothing_is_said_of_it():
    assert differences(failed(over_http()), an_http_answer(addresses=("192.0.2.1",), issuer="CN=Some CA")) == []
    assert differences(failed(over_http(address="192.0.2.1", tls=signed_by("CN=a"))), an_http_answer()) == []
