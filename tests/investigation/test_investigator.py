"""The investigator with the real rules, over a world that is made up."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from monitor.config.settings import InvestigationSettings, Settings, StorageSettings, WebSettings
from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.judge import judge
from monitor.domain.assignment import Assignment
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.check import Check
from monitor.domain.evidence import Evidence, ProberFault, StepError, StepErrorKind
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.journey import JourneyOutline
from monitor.domain.outcome import Outcome, StepOutcome, Validity
from monitor.domain.reference import Baseline, Lately, Reference, StepBaseline
from monitor.domain.run import Run
from monitor.domain.script_time import ScriptTime
from monitor.domain.secret import Secret
from monitor.investigation.investigator import Investigator
from monitor.investigation.trials import NotMade
from tests.builders import A_MOMENT, a_check, a_profile, a_run, a_target, an_attempt, an_evidence, an_exchange
from tests.diagnosis.incidents import ADS, API, CDN, CONTROLS, OWNERSHIP, SHOP, a_step, failed, passed, request
from tests.investigation.situations import NAMES, a_broken_page, an_archive, an_outline

CHECKS = tuple(
    a_check(name=f"{name}@shop/desktop", journey="buy", target=a_target(base_url=SHOP)) for name in ("buy", "return")
)
GOOD_STEPS = (a_step(name="pay", outcome=StepOutcome.PASSED),)
DOWN = {"failure": Failure.TCP_TIMED_OUT, "failed_phase": Phase.CONNECT, "status": None}


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return A_MOMENT + dt.timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds


@dataclass
class World:
    """What looks and journeys meet; ``asked`` is what was sent."""

    down: set[str] = field(default_factory=set)
    statuses: dict[str, int] = field(default_factory=dict)
    journey: Callable[[Assignment], Evidence] = lambda _: an_evidence(attempts=(an_attempt(steps=GOOD_STEPS),))
    refuses: str = ""
    breaks: bool = False
    hangs: bool = False
    asked: list[Assignment] = field(default_factory=list)

    async def perform(self, assignment: Assignment, outline: JourneyOutline) -> Evidence | NotMade:
        self.asked.append(assignment)
        if self.refuses:
            return NotMade(reason=self.refuses)
        if self.breaks:
            raise RuntimeError
        if self.hangs:
            await asyncio.Event().wait()
        return self._looked(assignment) if outline.name == "look" else self.journey(assignment)

    def _looked(self, assignment: Assignment) -> Evidence:
        url = str(dict(assignment.check.values)["url"])
        host = url.split("/")[2]
        down = host in self.down
        address = f"{10 + sum(map(ord, host)) % 200}.0.2.7"
        end = DOWN if down else {"status": self.statuses.get(host, 200)}
        answer = an_exchange(url=url, host=host, address=address, **end)
        outcome = Outcome.FAILED if down else Outcome.PASSED
        return an_evidence(attempts=(an_attempt(outcome=outcome),), exchanges=(answer,))

    @property
    def looks(self) -> list[str]:
        return [str(dict(one.check.values)["url"]) for one in self.asked if one.check.journey == "look"]

    @property
    def journeys(self) -> list[Assignment]:
        return [one for one in self.asked if one.check.journey != "look"]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def investigator(world, clock):
    return an_investigator(world, clock)


def an_investigator(
    world: World,
    clock: HandClock,
    *,
    good: Mapping[str, Reference] = MappingProxyType({}),
    usual: Mapping[str, Baseline] = MappingProxyType({}),
    before: Lately | None = None,
    checks: tuple[Check, ...] = CHECKS,
    **changes,
) -> Investigator:
    async def reference(check: Check) -> Reference | None:
        return good.get(check.name)

    async def baseline(check: str) -> Baseline | None:
        return usual.get(check)

    async def lately(_: Run) -> Lately | None:
        return before

    made = Investigator(
        world.perform, clock=clock, location="here", reference=reference, baseline=baseline, lately=lately
    )
    settings = Settings(
        path=Path("monitor.yaml"),
        location="here",
        journeys=Path("checks"),
        checks=checks,
        ownership=replace(OWNERSHIP, controls=CONTROLS),
        storage=StorageSettings(directory=Path("data")),
        web=WebSettings(),
        investigation=replace(InvestigationSettings(), **changes),
    )
    made.configure(settings, {"buy": an_outline()}, contexts_for(checks, settings.ownership, NAMES))
    return made


def a_judged_run(evidence: Evidence, *, run_id: str = "run-1", check=CHECKS[0]) -> Run:
    context = contexts_for(CHECKS, OWNERSHIP, NAMES)[check.name]
    return a_run(run_id=run_id, check=check, evidence=evidence, judgement=judge(evidence, context))


def kinds(run: Run) -> list[str]:
    return [each.kind.value for each in run.evidence.experiments]


def blocked(assignment: Assignment) -> set[str]:
    return {one.host for one in assignment.interventions}


def helped_by(host: str) -> Callable[[Assignment], Evidence]:
    """A journey that passes as long as this host is blocked."""

    def journey(assignment: Assignment) -> Evidence:
        if host in blocked(assignment):
            return an_evidence(attempts=(an_attempt(steps=GOOD_STEPS),))
        return a_broken_page(ADS, CDN)

    return journey


async def test_a_run_that_passed_causes_nothing(investigator, world):
    run = a_judged_run(passed(request()))
    assert await investigator.investigate(run) is run
    assert world.asked == []


async def test_controls_that_fail_with_the_run_put_it_on_the_clients_side(investigator, world):
    world.down = {"api.shop.example", *(url.split("/")[2] for url in CONTROLS)}
    run = await investigator.investigate(a_judged_run(failed(request(API, **DOWN))))
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.detail is Detail.CLIENT_NETWORK
    assert world.journeys == []


async def test_controls_that_answer_leave_the_fault_with_the_host_that_fails_again(investigator, world):
    world.statuses["api.shop.example"] = 500
    run = await investigator.investigate(a_judged_run(failed(request(API, status=500))))
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.cause is Cause.OWN_INFRASTRUCTURE
    assert kinds(run)[:4] == ["control", "control", "control", "reprobe"]


async def test_blocking_the_vendor_that_does_harm_and_failing_without_it_confirms(investigator, world):
    world.journey = helped_by("cdn.libraries.example")
    run = await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN)))
    diagnosis = run.judgement.diagnosis
    assert diagnosis is not None
    assert (diagnosis.cause, diagnosis.confidence) == (Cause.THIRD_PARTY, Confidence.CONFIRMED)
    assert diagnosis.culprit is not None
    assert diagnosis.culprit.name == "Libraries"
    assert "rerun" in kinds(run)
    assert len(world.journeys) <= InvestigationSettings().journeys
    assert {one.until for one in world.journeys} == {"pay"}


@pytest.mark.parametrize(
    "guard", [{"status": 429}, {"status": 403, "headers": (("cf-mitigated", "challenge"),)}], ids=["429", "challenge"]
)
async def test_a_guard_that_answers_a_journey_of_ours_ends_the_journeys(investigator, world, guard):
    """Blocking helped, and then we were stopped: that is our own doing, and nobody else's failure."""
    guarded = a_broken_page(ADS, CDN)
    guarded = replace(guarded, exchanges=(*guarded.exchanges, request(API, **guard)))

    def journey(assignment: Assignment) -> Evidence:
        return helped_by("cdn.libraries.example")(assignment) if blocked(assignment) else guarded

    world.journey = journey
    run = await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN)))
    rerun = next(each for each in run.evidence.experiments if each.kind is ExperimentKind.RERUN)
    assert rerun.outcome is Outcome.INCONCLUSIVE
    assert "api.shop.example set a rate limit or a robot challenge" in rerun.note
    assert kinds(run)[-1] == "rerun"
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.confidence is not Confidence.CONFIRMED


async def test_what_does_not_happen_again_is_not_blamed_on_anybody(investigator):
    run = await investigator.investigate(a_judged_run(a_broken_page()))
    assert kinds(run)[-1] == "rerun"
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.detail is Detail.UND_NOT_REPRODUCED


@pytest.mark.parametrize(
    ("trouble", "words"),
    [({"refuses": "no worker"}, "no worker"), ({"breaks": True}, "RuntimeError")],
)
async def test_experiments_that_cannot_be_made_leave_the_diagnosis_and_say_so(investigator, world, trouble, words):
    for name, value in trouble.items():
        setattr(world, name, value)
    before = a_judged_run(failed(request(API, status=500)))
    run = await investigator.investigate(before)
    assert run.judgement.diagnosis is not None
    assert before.judgement.diagnosis is not None
    assert run.judgement.diagnosis.detail is before.judgement.diagnosis.detail
    assert all(each.outcome is Outcome.INCONCLUSIVE and words in each.note for each in run.evidence.experiments)


async def test_an_experiment_that_hangs_ends_with_the_time_that_there_is(world, clock):
    world.hangs = True
    investigator = an_investigator(world, clock, time_limit=dt.timedelta(milliseconds=30))
    run = await investigator.investigate(a_judged_run(failed(request(API, status=500))))
    assert run.judgement.diagnosis is not None
    assert run.judgement.diagnosis.detail is Detail.OWN_HTTP_STATUS


async def test_no_more_is_sent_than_the_budget_allows(world, clock):
    world.statuses["api.shop.example"] = 500
    investigator = an_investigator(world, clock, journeys=1, requests=2)
    await investigator.investigate(a_judged_run(failed(request(API, status=500))))
    assert len(world.looks) == 2
    assert len(world.journeys) <= 1


async def test_nothing_is_sent_where_investigations_are_off(world, clock):
    investigator = an_investigator(world, clock, enabled=False)
    run = await investigator.investigate(a_judged_run(failed(request(API, status=500))))
    assert world.asked == []
    assert run.judgement.outcome is Outcome.FAILED


async def test_controls_of_the_last_half_minute_are_shared(investigator, world, clock):
    world.statuses["api.shop.example"] = 500
    await investigator.investigate(a_judged_run(failed(request(API, status=500))))
    clock.seconds = 20.0
    run = await investigator.investigate(
        a_judged_run(failed(request(API, status=500)), run_id="run-2", check=CHECKS[1])
    )
    controls = [each for each in run.evidence.experiments if each.kind is ExperimentKind.CONTROL]
    assert [each.requests for each in controls] == [0, 0, 0]
    assert all("shared" in each.note for each in controls)
    assert sum(url in CONTROLS for url in world.looks) == len(CONTROLS)


async def test_a_repeated_failure_goes_by_what_the_first_one_found_out(investigator, world, clock):
    world.journey = helped_by("cdn.libraries.example")
    first = await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN)))
    made = len(world.journeys)
    clock.seconds = 60.0
    second = await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN), run_id="run-2"))
    assert len(world.journeys) == made
    assert second.judgement.diagnosis is not None
    assert first.judgement.diagnosis is not None
    assert second.judgement.diagnosis.detail is first.judgement.diagnosis.detail
    carried = [each for each in second.evidence.experiments if each.of_run]
    assert {each.of_run for each in carried} == {"run-1"}
    assert not [each for each in carried if each.kind is ExperimentKind.CONTROL]


async def test_a_pass_ends_the_episode_so_that_the_next_failure_is_investigated_anew(investigator, world, clock):
    world.journey = helped_by("cdn.libraries.example")
    await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN)))
    made = len(world.journeys)
    investigator.finished(a_judged_run(passed(request()), run_id="run-2"))
    await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN), run_id="run-3"))
    assert len(world.journeys) == 2 * made


@pytest.fixture
def stuck(world, investigator):
    """An investigation whose first journey never ends: the event is set once it has begun."""
    begun = asyncio.Event()
    answered = world.perform

    async def perform(assignment: Assignment, outline: JourneyOutline) -> Evidence | NotMade:
        if outline.name != "look":
            begun.set()
            await asyncio.Event().wait()
        return await answered(assignment, outline)

    investigator._means.trials._perform = perform
    return begun


async def cancelled(task: asyncio.Task[Run]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_while_a_target_is_investigated_other_checks_of_it_get_controls_only(investigator, stuck):
    first = asyncio.create_task(investigator.investigate(a_judged_run(a_broken_page(ADS, CDN))))
    await stuck.wait()
    second = await investigator.investigate(a_judged_run(a_broken_page(ADS), run_id="run-2", check=CHECKS[1]))
    assert kinds(second) == ["control", "control", "control"]
    await cancelled(first)


async def test_cancelling_leaves_the_run_with_what_is_known(investigator, stuck):
    before = a_judged_run(a_broken_page(ADS, CDN))
    task = asyncio.create_task(investigator.investigate(before))
    await stuck.wait()
    await cancelled(task)
    known = investigator.known(before)
    assert kinds(known) == ["control", "control", "control"]
    assert known.judgement.outcome is before.judgement.outcome


async def test_all_investigations_together_stay_within_their_share(world, clock):
    world.journey = lambda _: a_broken_page(ADS, CDN)
    investigator = an_investigator(world, clock)
    runs = [a_judged_run(a_broken_page(ADS, CDN), run_id=f"run-{number}") for number in range(20)]
    found = [await investigator.investigate(run, alone=True) for run in runs]
    assert len(world.journeys) <= 10
    assert "experiments" in {cut.what for cut in found[-1].evidence.truncated}
    assert kinds(found[-1]) == ["control", "control", "control"]


async def test_a_run_in_which_we_were_unwell_stays_so_and_keeps_the_second_one(investigator, world):
    step = a_step(outcome=StepOutcome.INCONCLUSIVE)
    attempt = an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED, steps=(step,))
    run = await investigator.investigate(a_judged_run(an_evidence(attempts=(attempt,))))
    assert run.outcome is Outcome.INCONCLUSIVE
    assert run.judgement.validity is Validity.INVALID
    assert [(each.kind.value, each.outcome.value) for each in run.evidence.experiments] == [("rerun", "passed")]


PHONE = replace(CHECKS[0], name="buy@shop/phone", profile=a_profile(name="phone"))
USUAL = Baseline(runs=20, steps=(StepBaseline(step="pay", runs=20, median=1.0, deviation=0.1, requests=9.0),))


async def test_a_check_that_never_passed_is_compared_with_the_same_journey_as_another_client(world, clock):
    desktop = CHECKS[0].name
    investigator = an_investigator(
        world,
        clock,
        checks=(*CHECKS, PHONE),
        good={desktop: replace(an_archive(API), run_id="good")},
        usual={desktop: USUAL},
    )
    run = a_judged_run(failed(request(API, status=500)), check=CHECKS[0])
    run = await investigator.investigate(replace(run, check=PHONE))
    assert run.evidence.compared is not None
    assert (run.evidence.compared.run_id, run.evidence.compared.profile) == ("good", "desktop")
    assert "replay" not in kinds(run)
    assert run.evidence.baseline == replace(USUAL, profile="desktop")


async def test_what_is_usual_for_the_check_itself_comes_first(world, clock):
    usual = {CHECKS[0].name: USUAL, PHONE.name: replace(USUAL, runs=3)}
    investigator = an_investigator(world, clock, checks=(*CHECKS, PHONE), usual=usual)
    run = await investigator.investigate(replace(a_judged_run(failed(request(API, status=500))), check=PHONE))
    assert run.evidence.baseline == replace(USUAL, runs=3)


async def test_a_journey_that_breaks_off_at_an_earlier_step_says_nothing(investigator, world):
    open_broke = a_step(name="open", error=StepError(kind=StepErrorKind.TIMEOUT, message="no button"))
    steps = (open_broke, a_step(name="pay", outcome=StepOutcome.NOT_REACHED))
    world.journey = lambda _: an_evidence(attempts=(an_attempt(outcome=Outcome.FAILED, steps=steps),))
    run = await investigator.investigate(a_judged_run(a_broken_page()))
    rerun = run.evidence.experiments[-1]
    assert (rerun.kind, rerun.outcome, rerun.failed_step) == (ExperimentKind.RERUN, Outcome.INCONCLUSIVE, "open")
    assert rerun.note == "an earlier step failed this time: open"


async def test_of_a_journey_made_again_is_kept_what_it_received_and_what_kept_its_page_busy(investigator, world):
    answers = (
        request(SHOP, id="1", transfer_bytes=1_000),
        request(API, id="2", transfer_bytes=500, step="open"),
        request(CDN, id="4", from_cache=True, body_bytes=200),
        request(ADS, id="3", intervention=True, transfer_bytes=7),
    )
    error = StepError(kind=StepErrorKind.INTERCEPTED, message="in the way", intercepted_stack=(ADS,))
    times = (ScriptTime(url=ADS, seconds=3.0, step="pay"), ScriptTime(url=CDN, seconds=1.0, step="open"))
    attempt = an_attempt(outcome=Outcome.FAILED, steps=(a_step(error=error),))
    world.journey = lambda _: an_evidence(attempts=(attempt,), exchanges=answers, scripts=times)
    run = await investigator.investigate(a_judged_run(a_broken_page()))
    rerun = run.evidence.experiments[-1]
    assert (rerun.requests, rerun.received) == (2, 1_500)
    assert (rerun.step_requests, rerun.step_received) == (2, 1_200)
    assert rerun.scripts == times[:1]
    assert rerun.intercepted_stack == (ADS,)


async def test_experiments_wait_behind_every_run_that_is_due(investigator, world):
    await investigator.investigate(a_judged_run(a_broken_page(ADS, CDN)))
    assert {one.background for one in world.asked} == {True}


SIGN_IN = "https://api.shop.example/session"
WITH_SECOND = replace(
    CHECKS[0],
    values=(("email", "ada"), ("password", Secret("password", "first"))),
    second_account=(("email", "eve"), ("password", Secret("password", "second"))),
)


def signing_in(*let_in: str) -> Callable[[Assignment], Evidence]:
    """Return a journey whose sign-in lets only these in."""

    def journey(assignment: Assignment) -> Evidence:
        if dict(assignment.check.values)["email"] in let_in:
            return an_evidence(attempts=(an_attempt(steps=GOOD_STEPS),))
        return refused_sign_in()

    return journey


def refused_sign_in() -> Evidence:
    exchange = request(SIGN_IN, method="POST", status=401)
    return failed(request(SHOP, resource="document"), exchange, error={"exchange": SIGN_IN})


async def test_a_second_account_that_is_let_in_shows_that_the_first_one_is_ours(world, clock):
    world.journey = signing_in("eve")
    investigator = an_investigator(world, clock, checks=(WITH_SECOND,))
    found = await investigator.investigate(a_judged_run(refused_sign_in(), check=WITH_SECOND))
    made = [(one.kind, one.outcome) for one in found.evidence.experiments if not one.kind.is_look]
    assert made[0] == (ExperimentKind.ACCOUNT, Outcome.PASSED)
    assert (found.outcome, found.judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)
    assert "our test account, not the site" in found.judgement.diagnosis.because
    first = world.journeys[0].check
    assert dict(first.values)["password"].reveal() == "second"
    assert first.second_account == ()


async def test_a_second_account_that_is_refused_too_makes_it_the_sites_failure(world, clock):
    world.journey = signing_in()
    investigator = an_investigator(world, clock, checks=(WITH_SECOND,))
    found = await investigator.investigate(a_judged_run(refused_sign_in(), check=WITH_SECOND))
    account = next(one for one in found.evidence.experiments if one.kind is ExperimentKind.ACCOUNT)
    assert (account.outcome, [x.status for x in account.exchanges]) == (Outcome.FAILED, [401])
    assert (found.outcome, found.judgement.validity) == (Outcome.FAILED, Validity.VALID)
    assert found.judgement.diagnosis.detail is Detail.OWN_HTTP_STATUS
