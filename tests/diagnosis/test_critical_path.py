from __future__ import annotations

import pytest

from monitor.diagnosis.critical_path import split
from monitor.diagnosis.dependencies import incident_of
from monitor.domain.exchange import Initiator
from monitor.domain.outcome import StepOutcome
from monitor.domain.reference import Part
from tests.builders import an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, API, CDN, PAY, SHOP, a_step, page, request
from tests.diagnosis.slow_runs import APP, BY_PARSER, call, code, opened, slow_run, some_run, stalled, taking

CHAT = "https://widget.chats.example/chat.js"
BY_CHAT = Initiator(kind="script", frames=(CHAT,))


def parts(court, evidence):
    seconds = split(incident_of(evidence, court.context))["pay"]
    return {part.value: round(value, 2) for part, value in seconds.items() if round(value, 2)}


def with_header(value, **timings):
    return call(API, 1.0, 0.2, headers=(("server-timing", value),), timings=taking(1.0, start=0.2, **timings))


PATHS = {
    "a page waits for our own server": (slow_run(opened(1.0), took=1.0), {"own_backend": 1.0}),
    "phases before and after the answer are delivery": (
        slow_run(opened(1.5, resolve=0.3, connect=0.1, tls=0.2, wait=0.5, receive=0.4), took=1.5),
        {"own_backend": 0.5, "own_delivery": 1.0},
    ),
    "what no phase explains was queueing": (
        slow_run(page(timings=stalled(2.0, wait=0.5)), took=2.0),
        {"own_backend": 0.5, "own_delivery": 1.5},
    ),
    "the server states what was its work": (
        slow_run(opened(), with_header("app;dur=600, db;dur=400"), took=1.2),
        {"own_backend": 0.8, "own_delivery": 0.4},
    ),
    "what an edge states of itself is delivery": (
        slow_run(opened(), with_header("cdn-cache;desc=MISS, edge;dur=250"), took=1.2),
        {"own_backend": 0.95, "own_delivery": 0.25},
    ),
    "an origin behind an edge is the back end": (
        slow_run(opened(), with_header("edge;dur=50, origin;dur=900"), took=1.2),
        {"own_backend": 1.1, "own_delivery": 0.1},
    ),
    "a statement that nobody can read changes nothing": (
        slow_run(opened(), with_header(";;dur=, x;dur=1.2.3, ,"), took=1.2),
        {"own_backend": 1.2},
    ),
    "a script in the head holds the page up": (
        slow_run(opened(0.1), code(CDN, 2.0, 0.1), code(APP, 0.1, 0.1), call(API, 0.1, 2.1), took=2.2),
        {"own_backend": 0.2, "third_party": 2.0},
    ),
    "a script runs beside where our own code goes on meanwhile": (
        slow_run(opened(0.1), code(CHAT, 2.0, 0.1), code(APP, 0.1, 0.1), call(API, 1.9, 0.4), took=2.3),
        {"own_backend": 2.1, "own_frontend": 0.2},
    ),
    "what a vendor's script asks for is its own affair": (
        slow_run(
            opened(0.1),
            call(API, 0.4, 0.1),
            request(CHAT, initiator=BY_CHAT, timings=taking(1.0, start=0.2)),
            took=1.2,
        ),
        {"own_backend": 0.5},
    ),
    "what a vendor's frame asks for is waited for where our own code goes on when it is answered": (
        slow_run(
            opened(0.1),
            request(CDN, resource="fetch", initiator=BY_CHAT, timings=taking(2.0, start=0.1)),
            call(API, 0.1, 2.12),
            took=2.22,
        ),
        {"own_backend": 0.2, "own_frontend": 0.02, "third_party": 2.0},
    ),
    "what the frame of a critical vendor asks for is waited for": (
        slow_run(opened(0.1), request(PAY, initiator=BY_CHAT, timings=taking(2.0, start=0.1)), took=2.1),
        {"own_backend": 0.1, "third_party": 2.0},
    ),
    "a vendor that our own code asks is waited for": (
        slow_run(opened(0.1), code(APP, 0.1, 0.1), call(PAY, 1.0, 0.2), took=1.2),
        {"own_backend": 0.2, "third_party": 1.0},
    ),
    "advertising streams beside": (
        slow_run(opened(0.2), request(ADS, timings=taking(3.0, start=0.2)), took=3.2),
        {"own_backend": 0.2},
    ),
    "an advertiser's script that holds the page up counts": (
        slow_run(opened(0.1), code(ADS, 2.0, 0.1), call(API, 0.1, 2.15), took=2.25),
        {"own_backend": 0.2, "own_frontend": 0.05, "third_party": 2.0},
    ),
    "an advertiser's script that nothing waits for does not": (
        slow_run(opened(0.1), code(ADS, 2.0, 0.1), took=2.2),
        {"own_backend": 0.1},
    ),
    "a vendor's picture does not count": (
        slow_run(opened(0.2), request(f"{CDN}.png", resource="image", timings=taking(2.0, start=0.2)), took=2.2),
        {"own_backend": 0.2},
    ),
    "own pictures that queue are delivery": (
        slow_run(
            opened(0.1),
            *(
                request(f"{SHOP}{n}.png", resource="image", timings=stalled(0.1 + n * 0.04, start=0.1, wait=0.03))
                for n in range(60)
            ),
            took=2.6,
        ),
        {"own_backend": 0.13, "own_delivery": 2.43},
    ),
    "work of scripts fills what nothing was waited for": (
        slow_run(opened(0.2), code(APP, 0.1, 0.2), took=4.3, scripts=((APP, 3.0),)),
        {"own_backend": 0.3, "own_frontend": 3.0},
    ),
    "work of a vendor's script is the vendor's": (
        slow_run(opened(0.2), call(API, 0.1, 3.2), took=3.3, scripts=((CDN, 3.0), (APP, 0.0))),
        {"own_backend": 0.3, "third_party": 3.0},
    ),
    "work beside waiting costs nothing": (
        slow_run(opened(3.0), took=3.0, scripts=((APP, 2.0),)),
        {"own_backend": 3.0},
    ),
    "work of nobody knows whom is nobody's": (
        slow_run(opened(0.2), took=3.0, scripts=(("", 2.0),)),
        {"own_backend": 0.2},
    ),
    "many calls one after the other are the page's doing": (
        slow_run(opened(0.1), *(call(f"{API}/{n}", 0.1, 0.1 + n * 0.1) for n in range(40)), took=4.1),
        {"own_backend": 0.1, "own_frontend": 4.0},
    ),
    "one long call among many is the back end's": (
        slow_run(
            opened(0.1),
            *(call(f"{API}/{n}", 0.1, 0.1 + n * 0.1) for n in range(30)),
            call(f"{API}/last", 3.1, 3.1),
            took=6.2,
        ),
        {"own_backend": 2.9, "own_frontend": 3.3},
    ),
    "requests of an HTTP journey are no page's doing": (
        slow_run(
            *(request(f"{API}/{n}", resource="http", timings=taking(0.1, start=n * 0.1)) for n in range(40)), took=4.0
        ),
        {"own_backend": 4.0},
    ),
    "a pause between our own requests is the page's": (
        slow_run(opened(0.2), call(API, 0.3, 2.2), took=2.5),
        {"own_backend": 0.5, "own_frontend": 2.0},
    ),
    "time before the first and after the last is nobody's": (
        slow_run(call(API, 0.3, 1.0), took=2.5),
        {"own_backend": 0.3},
    ),
    "two that end together share the time": (
        slow_run(call(API, 2.0, 0.0), call(PAY, 2.0, 0.0), took=2.0),
        {"own_backend": 1.0, "third_party": 1.0},
    ),
    "a page that streams is what its own resources wait for": (
        slow_run(
            opened(1.0), request(APP, resource="script", initiator=BY_PARSER, timings=taking(0.8, start=0.6)), took=1.4
        ),
        {"own_backend": 1.4},
    ),
    "what is still open at the end was not waited for": (
        slow_run(opened(0.2), code(CDN, 9.0, 0.2), took=1.0),
        {"own_backend": 0.2},
    ),
    "what began before the step is cut": (
        slow_run(call(API, 3.0, 0.0), took=2.0, started=1.0),
        {"own_backend": 2.0},
    ),
    "what never ended is left out": (slow_run(request(PAY, pending=True), took=2.0), {}),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in PATHS.items()])
def test_time_is_split_along_the_critical_path(court, case):
    evidence, expected = case
    assert parts(court, evidence) == expected


def test_each_step_has_a_path_of_its_own_and_steps_that_were_not_reached_have_none(court):
    steps = (
        a_step(name="open", outcome=StepOutcome.PASSED, started=0.0, duration=1.0),
        a_step(name="pay", outcome=StepOutcome.PASSED, started=1.0, duration=2.0),
        a_step(name="leave", outcome=StepOutcome.NOT_REACHED, duration=0.0),
    )
    evidence = an_evidence(
        attempts=(an_attempt(steps=steps, duration=3.0),),
        exchanges=(opened(1.0), call(PAY, 2.0, 1.0)),
    )
    seconds = split(incident_of(evidence, court.context))
    assert set(seconds) == {"open", "pay"}
    assert seconds["open"] == {Part.OWN_BACKEND: pytest.approx(1.0)}
    assert seconds["pay"] == {Part.THIRD_PARTY: pytest.approx(2.0)}


def test_a_redirect_is_walked_back_to_where_it_began(court):
    first = page(id="1", status=302, timings=taking(0.5))
    second = page(PAY, id="2", redirected_from="1", timings=taking(1.0, start=0.5))
    assert parts(court, slow_run(first, second, took=1.5)) == {"own_backend": 0.5, "third_party": 1.0}


@pytest.mark.parametrize("block", range(10))
def test_parts_are_never_negative_and_together_at_most_the_step(court, block):
    for seed in range(block * 100, (block + 1) * 100):
        evidence = some_run(seed)
        seconds = split(incident_of(evidence, court.context))["pay"]
        assert all(value >= 0 for value in seconds.values()), seed
        assert sum(seconds.values()) <= evidence.last.steps[0].duration + 1e-9, seed
