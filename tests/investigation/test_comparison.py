from __future__ import annotations

import datetime as dt

from monitor.domain.evidence import StepErrorKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Answer, DifferenceKind, Reference
from monitor.investigation.comparison import MOST_DIFFERENCES, compare
from tests.builders import A_MOMENT, an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, CDN, SHOP, a_step, failed, request

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


def test_a_failure_is_not_as_before_where_the_good_run_got_an_answer_in_the_end_or_another_failure():
    refused = request(CDN, status=None, failure=Failure.TCP_REFUSED)
    was = an_answer(status=None, sha256=None, failure="tcp.refused")
    assert not compare(failed(refused), a_reference(was, an_answer()), LATER).failed_alike
    other = an_answer(status=None, sha256=None, failure="dns.name_not_resolved")
    found = compare(failed(refused), a_reference(other), LATER)
    assert not found.failed_alike
    assert [(each.kind, each.before) for each in found.differences] == [(DifferenceKind.STATUS, other.failure)]
