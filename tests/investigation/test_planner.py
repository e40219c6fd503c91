from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.config.settings import InvestigationSettings, OtherVantage
from monitor.domain.cause import Confidence
from monitor.domain.evidence import PageError, ProberFault, StepErrorKind
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.journey import ProbeKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import HostedName, Origin
from monitor.domain.profile import HostOverride, Network, Proxy
from monitor.domain.reference import DifferenceKind
from monitor.investigation.budget import Left
from monitor.investigation.planner import brief_batch, next_batch
from tests.builders import a_profile, an_attempt
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    CONTROLS,
    OWNERSHIP,
    PAY,
    a_step,
    again,
    compared,
    controls,
    difference,
    failed,
    look,
    passed,
    request,
)
from tests.investigation.situations import (
    PLENTY,
    TAGS,
    a_broken_page,
    a_situation,
    an_archive,
    an_outline,
    looks,
    the_journey,
    the_look,
)

WATCHED = replace(OWNERSHIP, controls=CONTROLS)
BROKEN_API = request(API, status=500)


def well(kind: ExperimentKind, subject: str, **values) -> Experiment:
    return look(kind, subject, **values)


def reprobed(*, times: int = 1, **values) -> tuple[Experiment, ...]:
    return tuple(look(ExperimentKind.REPROBE, "api.shop.example", **values) for _ in range(times))


# Looks.


def test_nothing_is_tried_for_a_run_that_passed():
    assert next_batch(a_situation(passed(request()), ownership=WATCHED)) is None


def test_controls_and_a_second_look_at_what_failed_come_first_and_together():
    batch = next_batch(a_situation(failed(BROKEN_API), ownership=WATCHED))
    assert looks(batch) == [*(("control", url, "") for url in CONTROLS), ("reprobe", "api.shop.example", "")]
    assert the_look(batch, "reprobe").url == API


def test_what_failed_is_never_sent_again_where_it_may_have_an_effect():
    batch = next_batch(a_situation(failed(request(API, method="POST", status=500))))
    probe = the_look(batch, "reprobe")
    assert (probe.method, probe.url, probe.connection_only) == ("GET", "https://api.shop.example/", True)
    assert "must not be sent again" in probe.note


def test_a_url_with_a_masked_secret_is_not_asked_for():
    batch = next_batch(a_situation(failed(request(f"{API}?token=•••", status=500))))
    assert the_look(batch, "reprobe").url == "https://api.shop.example/"


@pytest.mark.parametrize(("well_first", "more"), [(True, 4), (False, 0)])
def test_what_passed_at_the_second_look_is_looked_at_four_times_more(well_first, more):
    first = reprobed() if well_first else reprobed(status=500)
    batch = next_batch(a_situation(failed(BROKEN_API, experiments=first)))
    assert len(batch.looks if batch else ()) == more


def test_a_name_that_was_not_resolved_is_asked_of_each_resolver():
    lost = request(API, failure=Failure.DNS_NAME_NOT_RESOLVED, failed_phase=Phase.RESOLVE)
    settings = InvestigationSettings(resolvers=("192.0.2.53",))
    batch = next_batch(a_situation(failed(lost), settings=settings))
    assert ("resolver", "api.shop.example", "system") in looks(batch)
    assert ("resolver", "api.shop.example", "192.0.2.53") in looks(batch)


def test_a_name_that_the_target_pins_is_asked_of_nobody():
    lost = request(API, failure=Failure.DNS_NAME_NOT_RESOLVED, failed_phase=Phase.RESOLVE)
    situation = a_situation(failed(lost))
    pinned = replace(situation.check.target, hosts=(a_pin("api.shop.example"),))
    batch = next_batch(replace(situation, check=replace(situation.check, target=pinned)))
    assert not [one for one in looks(batch) if one[0] == "resolver"]


def a_pin(host: str):
    return HostOverride(host=host, address="192.0.2.1")


def test_origin_and_tenant_are_asked_where_they_are_known():
    ownership = replace(
        OWNERSHIP,
        origins=(Origin(host="api.shop.example", address="192.0.2.9:8443"),),
        hosted=(HostedName(host="api.shop.example", vendor="Host", control="https://other.host.example/"),),
    )
    batch = next_batch(a_situation(failed(BROKEN_API), ownership=ownership))
    assert ("origin", "api.shop.example", "192.0.2.9:8443") in looks(batch)
    assert ("tenant", "api.shop.example", "https://other.host.example/") in looks(batch)


def test_other_places_are_asked_and_the_way_past_the_proxy():
    settings = InvestigationSettings(
        vantages=(OtherVantage(name="paris", proxy=Proxy(url="http://paris.example:3128")),)
    )
    situation = a_situation(
        failed(BROKEN_API), settings=settings, profile={"proxy": Proxy(url="http://proxy.example:3128")}
    )
    batch = next_batch(situation)
    assert the_look(batch, "vantage").profile.proxy == Proxy(url="http://paris.example:3128")
    assert the_look(batch, "direct").profile.proxy is None


def test_a_refusal_is_tried_once_as_an_ordinary_browser():
    batch = next_batch(a_situation(failed(request(API, status=403))))
    assert "Chrome" in the_look(batch, "client").user_agent


def test_after_a_rate_limit_only_controls_are_asked():
    batch = next_batch(a_situation(failed(request(API, status=429)), ownership=WATCHED))
    assert {one[0] for one in looks(batch)} == {"control"}
    asked = failed(request(API, status=429), experiments=controls())
    assert next_batch(a_situation(asked, ownership=WATCHED)) is None


def test_no_more_looks_are_planned_than_requests_are_left():
    left = Left(journeys=3, requests=2, seconds=60.0)
    batch = next_batch(a_situation(failed(BROKEN_API), ownership=WATCHED, left=left))
    assert batch is not None
    assert len(batch.looks) == 2


def test_a_repeated_failure_is_worth_controls_and_one_look():
    evidence = failed(BROKEN_API, request(PAY, status=500))
    assert len(looks(brief_batch(a_situation(evidence, ownership=WATCHED)))) == len(CONTROLS) + 1


# Journeys.


def test_a_needed_host_is_replayed_before_anything_else_is_changed():
    evidence = failed(
        request(PAY, status=500), experiments=(well(ExperimentKind.REPROBE, "pay.payments.example", status=500),)
    )
    journey = the_journey(a_situation(evidence, reference=an_archive(PAY)))
    assert journey is not None
    assert (journey.kind, journey.hosts, journey.until) == (ExperimentKind.REPLAY, ("pay.payments.example",), "pay")


def test_what_helped_is_followed_by_the_journey_unchanged():
    blocked = again(ExperimentKind.BLOCK, "ads.adverts.example", well=True)
    journey = the_journey(a_situation(a_broken_page(ADS, experiments=(blocked,))))
    assert journey is not None
    assert journey.kind is ExperimentKind.RERUN
    assert journey.hosts == ()


def test_nothing_more_is_tried_once_the_cause_is_confirmed():
    evidence = failed(
        request(PAY, status=500),
        experiments=(
            well(ExperimentKind.REPROBE, "pay.payments.example", status=500),
            again(ExperimentKind.REPLAY, "pay.payments.example", well=True),
            again(ExperimentKind.RERUN, well=False),
        ),
    )
    situation = a_situation(evidence, reference=an_archive(PAY))
    assert situation.case.judgement.diagnosis is not None
    assert situation.case.judgement.diagnosis.confidence is Confidence.CONFIRMED
    assert next_batch(situation) is None


def test_a_journey_is_made_unchanged_once_where_nothing_can_be_changed():
    situation = a_situation(
        failed(BROKEN_API, experiments=reprobed(status=500)), outline=an_outline(probe=ProbeKind.HTTP)
    )
    journey = the_journey(situation)
    assert journey is not None
    assert journey.kind is ExperimentKind.RERUN
    done = failed(BROKEN_API, experiments=(*reprobed(status=500), again(ExperimentKind.RERUN, well=False)))
    assert next_batch(a_situation(done)) is None


@pytest.mark.parametrize("effects", ["open", "pay"])
def test_a_journey_is_never_made_again_through_a_step_with_effects(effects):
    evidence = failed(BROKEN_API, experiments=reprobed(status=500))
    assert next_batch(a_situation(evidence, outline=an_outline(effects=effects))) is None


def test_effects_of_later_steps_are_no_hindrance():
    evidence = failed(BROKEN_API, experiments=reprobed(status=500))
    assert the_journey(a_situation(evidence, outline=an_outline(effects="thanks"))) is not None


def test_the_vendor_whose_code_changed_is_suspected_first():
    evidence = a_broken_page(ADS, CDN, compared=compared(difference(DifferenceKind.CONTENT, CDN, resource="script")))
    journey = the_journey(a_situation(evidence))
    assert journey is not None
    assert (journey.kind, journey.hosts) == (ExperimentKind.BLOCK, ("cdn.libraries.example",))


def test_a_vendor_that_can_be_replayed_is_replayed_rather_than_blocked():
    evidence = a_broken_page(ADS, CDN, compared=compared(difference(DifferenceKind.CONTENT, CDN, resource="script")))
    journey = the_journey(a_situation(evidence, reference=an_archive(CDN)))
    assert journey is not None
    assert journey.kind is ExperimentKind.REPLAY


def test_without_a_suspect_all_vendors_that_can_be_spared_are_blocked_together():
    journey = the_journey(a_situation(a_broken_page(ADS, CDN, PAY)))
    assert journey is not None
    assert set(journey.hosts) == {"ads.adverts.example", "cdn.libraries.example"}


def test_where_blocking_several_helped_half_of_them_are_blocked():
    blocked = again(ExperimentKind.BLOCK, "ads.adverts.example", "cdn.libraries.example", well=True)
    journey = the_journey(
        a_situation(a_broken_page(ADS, CDN, experiments=(blocked,)), left=replace(PLENTY, journeys=2))
    )
    assert journey is not None
    assert journey.kind is ExperimentKind.BLOCK
    assert len(journey.hosts) == 1


def test_the_last_journey_is_kept_for_the_unchanged_one():
    journey = the_journey(a_situation(a_broken_page(ADS, CDN), left=replace(PLENTY, journeys=1)))
    assert journey is not None
    assert journey.kind is ExperimentKind.RERUN


def test_an_unusual_client_is_compared_with_the_ordinary_one():
    slow = Network(name="3g", download_bits_per_second=1_000_000)
    situation = a_situation(
        a_broken_page(ADS), profile={"name": "phone", "network": slow}, reference_profile=a_profile(name="desktop")
    )
    journey = the_journey(situation)
    assert journey is not None
    assert (journey.kind, journey.subject) == (ExperimentKind.PROFILE, "desktop")


def test_a_run_in_which_we_were_unwell_is_made_again_once_and_nothing_else_is_asked():
    step = a_step(outcome=StepOutcome.INCONCLUSIVE)
    attempt = an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED, steps=(step,))
    ill = replace(failed(), attempts=(attempt,))
    batch = next_batch(a_situation(ill, ownership=WATCHED))
    assert batch is not None
    assert batch.looks == ()
    assert batch.again is not None
    assert batch.again.kind is ExperimentKind.RERUN
    twice = replace(ill, experiments=(again(ExperimentKind.RERUN, well=True),))
    assert next_batch(a_situation(twice, ownership=WATCHED)) is None


def test_nothing_is_changed_any_more_once_the_clients_side_is_at_fault():
    down = {"failure": Failure.TCP_TIMED_OUT, "failed_phase": Phase.CONNECT}
    lost = failed(
        request(API, **down),
        experiments=(*controls(down, down, down), *reprobed(**down)),
    )
    situation = a_situation(lost, ownership=WATCHED)
    assert situation.case.judgement.diagnosis is not None
    assert situation.case.judgement.diagnosis.detail.value.startswith("client.")
    assert next_batch(situation) is None


def test_no_journey_begins_when_the_time_is_nearly_over():
    left = Left(journeys=3, requests=40, seconds=1.0)
    assert next_batch(a_situation(a_broken_page(ADS), left=left)) is None


def test_the_code_that_threw_is_suspected_where_it_is_a_vendors():
    thrown = PageError(message="x is not a function", frames=(TAGS,), step="pay")
    evidence = a_broken_page(TAGS, CDN, page_errors=(thrown,), kind=StepErrorKind.TIMEOUT)
    journey = the_journey(a_situation(evidence))
    assert journey is not None
    assert journey.hosts == ("tags.adverts.example",)


@pytest.mark.parametrize(("effects", "until"), [("", "thanks"), ("pay", "open")])
def test_a_run_that_never_began_is_made_again_as_far_as_it_changes_nothing(effects, until):
    attempt = an_attempt(outcome=Outcome.INCONCLUSIVE, prober_fault=ProberFault.BROWSER_CRASHED)
    ill = replace(failed(), attempts=(attempt,))
    journey = the_journey(a_situation(ill, outline=an_outline(effects=effects)))
    assert journey is not None
    assert journey.until == until
