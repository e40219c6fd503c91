"""Evidence of slow runs of a shop, in few words."""

from __future__ import annotations

from random import Random
from typing import Any

from monitor.domain.evidence import Evidence, ScriptTime, VantageHealth
from monitor.domain.exchange import Exchange, Initiator, Timings
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.reference import Baseline, Part, StepBaseline
from tests.builders import an_attempt, an_evidence
from tests.diagnosis.incidents import ADS, API, CDN, PAY, SHOP, a_step, page, request

APP = f"{SHOP}app.js"
BY_PARSER = Initiator(kind="parser", url=SHOP)
BY_APP = Initiator(kind="script", frames=(APP,))


def taking(seconds: float, *, start: float = 0.0, **phases: float) -> Timings:
    """Return timings of an exchange that waited all the time, unless the phases are given."""
    return Timings(started=start, total=seconds, **(phases or {"wait": seconds}))


def stalled(seconds: float, *, start: float = 0.0, **phases: float) -> Timings:
    """Return timings of an exchange that mostly queued: the phases are all that is known of it."""
    return Timings(started=start, total=seconds, **phases)


def code(url: str, seconds: float, start: float, **values: Any) -> Exchange:
    return request(url, resource="script", initiator=BY_PARSER, timings=taking(seconds, start=start), **values)


def call(url: str, seconds: float, start: float, **values: Any) -> Exchange:
    return request(url, **{"initiator": BY_APP, "timings": taking(seconds, start=start), **values})


def opened(seconds: float = 0.2, start: float = 0.0, **phases: float) -> Exchange:
    return page(timings=taking(seconds, start=start, **phases))


def slow_run(
    *exchanges: Exchange,
    took: float = 4.0,
    budget: float | None = 1.0,
    usual: Baseline | None = None,
    scripts: tuple[tuple[str, float], ...] = (),
    experiments: tuple[Experiment, ...] = (),
    health: VantageHealth | None = None,
    **step: Any,
) -> Evidence:
    values = {"outcome": StepOutcome.DEGRADED, "duration": took, "budget": budget, "capability": None, **step}
    attempt = an_attempt(outcome=Outcome.DEGRADED, duration=took, steps=(a_step(**values),))
    return an_evidence(
        attempts=(attempt,),
        exchanges=exchanges,
        duration=took,
        baseline=usual,
        scripts=tuple(ScriptTime(url=url, seconds=seconds, step="pay") for url, seconds in scripts),
        experiments=experiments,
        vantage=health or VantageHealth(),
    )


def usually(
    seconds: float,
    parts: dict[Part, float] | None = None,
    *,
    deviation: float = 0.02,
    requests: float | None = None,
    received: float | None = None,
) -> Baseline:
    shares = tuple((parts or {}).items())

    def one(name: str) -> StepBaseline:
        return StepBaseline(
            step=name,
            runs=20,
            median=seconds,
            deviation=deviation,
            parts=shares,
            requests=requests,
            received=received,
        )

    return Baseline(runs=20, steps=(one(""), one("pay")))


def without(
    *hosts: str, took: float, kind: ExperimentKind = ExperimentKind.COUNTERFACTUAL, outcome: Outcome = Outcome.PASSED
) -> Experiment:
    subject = ", ".join(hosts)
    return Experiment(kind=kind, subject=subject, outcome=outcome, duration=took, hosts=hosts, step_seconds=took)


def again(took: float, outcome: Outcome = Outcome.PASSED) -> Experiment:
    return Experiment(kind=ExperimentKind.RERUN, subject="", outcome=outcome, duration=took, step_seconds=took)


def as_profile(name: str = "reference") -> Experiment:
    return Experiment(kind=ExperimentKind.PROFILE, subject=name, outcome=Outcome.PASSED, duration=0.5, step_seconds=0.5)


def look(kind: ExperimentKind, url: str, seconds: float, **phases: float) -> Experiment:
    exchange = request(url, step="look", timings=taking(seconds, **phases))
    return Experiment(
        kind=kind, subject=url, outcome=Outcome.PASSED, duration=seconds, exchanges=(exchange,), requests=1
    )


def some_run(seed: int) -> Evidence:
    """Return a run that makes little sense, the same for the same seed."""
    chance = Random(seed)
    initiators = [None, BY_APP, BY_PARSER, Initiator(kind="script", frames=(CDN,))]
    exchanges = tuple(
        request(
            chance.choice([SHOP, API, PAY, ADS, CDN, APP, "", "http://[broken"]),
            id=str(number),
            resource=chance.choice(["document", "script", "stylesheet", "xhr", "fetch", "image", "http", "ping", ""]),
            initiator=chance.choice(initiators),
            redirected_from=chance.choice([None, None, str(chance.randrange(40))]),
            pending=chance.random() < 0.1,
            headers=chance.choice([(), (("server-timing", "app;dur=900, edge;dur=3000, x;dur=."),)]),
            timings=Timings(
                started=chance.uniform(-1.0, 6.0),
                total=chance.choice([0.0, chance.random() * 5]),
                resolve=chance.choice([None, chance.random()]),
                tls=chance.choice([None, chance.random()]),
                wait=chance.choice([None, chance.random()]),
                receive=chance.choice([None, chance.random() * 3]),
            ),
        )
        for number in range(chance.randrange(40))
    )
    scripts = tuple(
        (chance.choice([APP, CDN, "", "nonsense"]), chance.random() * 4) for _ in range(chance.randrange(4))
    )
    return slow_run(*exchanges, took=chance.random() * 6, started=chance.random(), scripts=scripts)
