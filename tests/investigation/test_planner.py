from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.config.settings import InvestigationSettings, OtherVantage
from monitor.domain.cause import Confidence
from monitor.domain.evidence import Evidence, PageError, ProberFault, StepErrorKind
from monitor.domain.exchange import Initiator, Timings
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure, Phase
from monitor.domain.journey import ProbeKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import HostedName, Origin
from monitor.domain.profile import Asking, HostOverride, Network, Proxy
from monitor.domain.reference import DifferenceKind
from monitor.domain.script_time import ScriptTime
from monitor.domain.secret import Secret
from monitor.investigation.budget import Left
from monitor.investigation.interventions import interventions
from monitor.investigation.planner import brief_batch, next_batch
from monitor.investigation.situation import Situation
from tests.builders import a_profile, an_attempt
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    CONTROLS,
    OWNERSHIP,
    PAY,
    SHOP,
    a_step,
    again,
    compared,
    controls,
    difference,
    failed,
    look,
    page,
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


LOST = request(API, failure=Failure.DNS_NAME_NOT_RESOLVED, failed_phase=Phase.RESOLVE)
ABOUT = "api.shop.example"


def asked_of(by: str, **values) -> Experiment:
    return look(ExperimentKind.RESOLVER, ABOUT, by=by, resource="http", **values)


def test_one_of_the_zones_own_servers_is_found_by_another_resolver_than_ours():
    settings = InvestigationSettings(resolvers=("192.0.2.53",))
    batch = next_batch(a_situation(failed(LOST), settings=settings))
    (of_zone,) = [one for one in batch.looks if one.by == "authoritative"]
    assert (of_zone.asking, of_zone.resolver, of_zone.subject) == (Asking.AUTHORITY, "192.0.2.53", ABOUT)
    (alone,) = [one for one in next_batch(a_situation(failed(LOST))).looks if one.by == "authoritative"]
    assert alone.resolver == ""


def test_a_zones_own_server_that_was_asked_is_not_asked_again():
    made = (*reprobed(failure=Failure.DNS_NAME_NOT_RESOLVED), asked_of("system", failure=Failure.DNS_NAME_NOT_RESOLVED))
    batch = next_batch(a_situation(failed(LOST, experiments=(*made, asked_of("authoritative 192.0.2.1")))))
    assert batch is None or not [one for one in batch.looks if one.kind is ExperimentKind.RESOLVER]


@pytest.mark.parametrize("fails", [True, False])
def test_signatures_are_left_unchecked_only_where_a_resolver_said_servfail(fails):
    failure = Failure.DNS_SERVER_FAILURE if fails else Failure.DNS_NAME_NOT_RESOLVED
    settings = InvestigationSettings(resolvers=("192.0.2.53",))
    made = (
        *reprobed(failure=failure, resource="http"),
        asked_of("system", failure=failure),
        asked_of("192.0.2.53", failure=failure),
        asked_of("authoritative 192.0.2.1"),
    )
    batch = next_batch(a_situation(failed(LOST, experiments=made), settings=settings))
    unchecked = [one for one in (batch.looks if batch else ()) if one.asking is Asking.UNCHECKED]
    expected = [("system with checking disabled", ""), ("192.0.2.53 with checking disabled", "192.0.2.53")]
    assert [(one.by, one.resolver) for one in unchecked] == (expected if fails else [])


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


def test_who_challenges_a_robot_is_not_asked_again_in_disguise():
    challenged = request(API, status=403, headers=(("cf-mitigated", "challenge"),))
    assert looks(next_batch(a_situation(failed(challenged)))) == []


@pytest.mark.parametrize(
    ("exchange", "asked"),
    [
        pytest.param(request(f"{PAY}?session=1", resource="document", status=502), False, id="a return by its address"),
        pytest.param(request(PAY, resource="http", status=502), False, id="a declared request"),
        pytest.param(request(PAY, resource="script", status=502), True, id="a file"),
        pytest.param(request(f"{PAY}?session=1", resource="document", status=502, step="open"), True, id="before it"),
    ],
)
def test_in_a_step_with_effects_a_get_may_have_one_as_well(exchange, asked):
    batch = next_batch(a_situation(failed(exchange), outline=an_outline(effects="pay")))
    probe = the_look(batch, "reprobe")
    assert probe.connection_only is not asked
    assert (probe.url == exchange.url) is asked


def test_what_a_post_led_to_is_not_asked_for_a_second_time():
    sent = page(f"{SHOP}order", id="sent", method="POST", status=303)
    thanks = page(f"{SHOP}thanks/once", id="thanks", redirected_from="sent", status=500)
    probe = the_look(next_batch(a_situation(failed(sent, thanks))), "reprobe")
    assert (probe.url, probe.connection_only) == (SHOP, True)


def test_a_refused_browser_is_asked_for_once_more_by_its_own_name_where_an_ordinary_one_is_answered():
    engine = "Chromium headless shell 141.0.7390.37"
    again_here = look(ExperimentKind.REPROBE, "www.shop.example", url=SHOP, status=403)
    ordinary = well(ExperimentKind.CLIENT, "www.shop.example", by="ordinary browser", url=SHOP)
    seen = failed(page(status=403), engine=engine, experiments=(again_here, ordinary))
    batch = next_batch(a_situation(seen))
    assert [(one[0], one[2]) for one in looks(batch)] == [("client", "the monitor's own name")]
    assert "HeadlessChrome/141" in the_look(batch, "client").user_agent


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


def of(evidence: Evidence, *archived: str) -> tuple[str, tuple[str, ...], str]:
    """What is tried next: the kind, the hosts, the path; with what can be replayed."""
    journey = the_journey(a_situation(evidence, reference=an_archive(*archived)))
    assert journey is not None
    return journey.kind.value, journey.hosts, journey.path


def test_a_needed_host_is_replayed_before_anything_else_is_changed():
    evidence = failed(
        request(PAY, status=500), experiments=(well(ExperimentKind.REPROBE, "pay.payments.example", status=500),)
    )
    journey = the_journey(a_situation(evidence, reference=an_archive(PAY)))
    assert journey is not None
    assert (journey.kind, journey.hosts, journey.until) == (ExperimentKind.REPLAY, ("pay.payments.example",), "pay")


STILL = again(ExperimentKind.RERUN, well=False)


def test_what_helped_once_is_tried_once_more_as_long_as_few_journeys_speak_for_it():
    helped = again(ExperimentKind.BLOCK, "ads.adverts.example", well=True)
    journey = the_journey(a_situation(a_broken_page(ADS, experiments=(helped, STILL))))
    assert journey is not None
    assert (journey.kind, journey.hosts) == (ExperimentKind.BLOCK, ("ads.adverts.example",))
    twice = a_situation(a_broken_page(ADS, experiments=(helped, STILL, helped)))
    assert the_journey(twice) is None
    in_vain = again(ExperimentKind.BLOCK, "tags.adverts.example", well=False)
    assert the_journey(a_situation(a_broken_page(ADS, TAGS, experiments=(in_vain, helped, STILL)))) is None


def test_a_replay_that_helped_is_made_again_with_the_same_answers():
    helped = again(ExperimentKind.REPLAY, "www.shop.example", well=True, path="/app.js")
    evidence = a_broken_page(ADS, experiments=(helped, STILL))
    journey = the_journey(a_situation(evidence, reference=an_archive(f"{SHOP}app.js")))
    assert journey is not None
    assert (journey.kind, journey.path, journey.archive) == (ExperimentKind.REPLAY, "/app.js", "/archive")


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


def test_a_vendor_that_may_do_harm_is_left_out_first_and_then_answered_as_it_last_was():
    changes = compared(difference(DifferenceKind.CONTENT, CDN, resource="script"))
    without = again(ExperimentKind.BLOCK, "cdn.libraries.example", well=False)
    assert of(a_broken_page(ADS, CDN, compared=changes), CDN) == ("block", ("cdn.libraries.example",), "")
    second = a_broken_page(ADS, CDN, compared=changes, experiments=(without,))
    assert of(second, CDN) == ("replay", ("cdn.libraries.example",), "")


@pytest.mark.parametrize("sign", ["a category", "an exception of ours", "nothing in it"])
def test_a_vendor_that_the_page_misses_is_answered_as_it_last_was(sign):
    changes = compared(difference(DifferenceKind.CONTENT, CDN, resource="script"))
    evidence, ownership = a_broken_page(ADS, CDN, compared=changes), OWNERSHIP
    match sign:
        case "a category":
            vendors = (*OWNERSHIP.vendors[:2], replace(OWNERSHIP.vendors[2], category="cdn"))
            ownership = replace(OWNERSHIP, vendors=vendors)
        case "an exception of ours":
            thrown = PageError(message="lib is not defined", frames=(f"{SHOP}app.js",), step="pay")
            evidence = replace(evidence, page_errors=(thrown,))
        case _:
            hollow = (replace(x, body_bytes=0) if x.url == CDN else x for x in evidence.exchanges)
            evidence = replace(evidence, exchanges=tuple(hollow))
    journey = the_journey(a_situation(evidence, ownership=ownership, reference=an_archive(CDN)))
    assert journey is not None
    assert (journey.kind, journey.hosts) == (ExperimentKind.REPLAY, ("cdn.libraries.example",))


def test_our_own_host_that_answers_otherwise_is_replayed_where_it_changed():
    flags = f"{SHOP}api/flags.json"
    changes = compared(difference(DifferenceKind.CONTENT, flags, resource="fetch"))
    evidence = a_broken_page(ADS, CDN, compared=changes)
    evidence = replace(evidence, exchanges=(*evidence.exchanges, request(flags, resource="fetch")))
    assert of(evidence, flags, ADS) == ("replay", ("www.shop.example",), "/api/flags.json")
    tried = again(ExperimentKind.REPLAY, "www.shop.example", well=False, path="/api/flags.json")
    second = replace(evidence, experiments=(tried,))
    assert of(second, flags, ADS) != ("replay", ("www.shop.example",), "/api/flags.json")


def test_our_own_host_is_replayed_whole_where_its_code_moved():
    old, new = f"{SHOP}app.1.js", f"{SHOP}app.2.js"
    changes = compared(
        difference(DifferenceKind.CONTENT, SHOP, resource="document"),
        difference(DifferenceKind.NEW, new, resource="script"),
        difference(DifferenceKind.MISSING, old, resource="script"),
    )
    assert of(a_broken_page(new, compared=changes), SHOP, old) == ("replay", ("www.shop.example",), "")


def test_what_another_client_was_sent_makes_nobody_a_suspect():
    changes = replace(compared(difference(DifferenceKind.CONTENT, CDN, resource="script")), profile="desktop")
    kind, hosts, _ = of(a_broken_page(ADS, CDN, compared=changes))
    assert (kind, len(hosts)) == ("block", 2)


def test_code_with_nothing_in_it_is_suspected_before_the_code_that_throws_for_want_of_it():
    thrown = PageError(message="lib is not defined", frames=(TAGS,), step="pay")
    evidence = a_broken_page(TAGS, CDN, page_errors=(thrown,))
    hollow = (replace(x, body_bytes=0) if x.url == CDN else x for x in evidence.exchanges)
    evidence = replace(evidence, exchanges=tuple(hollow))
    assert of(evidence, CDN, TAGS) == ("replay", ("cdn.libraries.example",), "")


@pytest.mark.parametrize(("kept", "kind"), [(f"{SHOP}app.js", "counterfactual"), (f"{SHOP}logo.png", "rerun")])
def test_only_slowness_that_can_be_taken_away_is_taken_away(kept, kind):
    step = a_step(outcome=StepOutcome.DEGRADED, budget=1.0)
    slow = request(f"{SHOP}app.js", resource="script", timings=Timings(started=0.0, wait=2.0, total=2.0))
    evidence = replace(passed(page(), slow), attempts=(an_attempt(outcome=Outcome.DEGRADED, steps=(step,)),))
    situation = a_situation(evidence, reference=an_archive(kept), slow=("www.shop.example",))
    journey = the_journey(replace(situation, left=replace(PLENTY, requests=0)))
    assert journey is not None
    assert journey.kind == kind


def test_slowness_that_was_taken_away_is_taken_away_once_more_as_long_as_few_journeys_speak_for_it():
    step = a_step(outcome=StepOutcome.DEGRADED, budget=1.0, duration=4.0)
    slow = request(PAY, resource="fetch", timings=Timings(started=0.0, wait=1.5, total=1.5))
    evidence = replace(passed(page(), slow), attempts=(an_attempt(outcome=Outcome.DEGRADED, steps=(step,)),))
    host = "pay.payments.example"
    quick = again(ExperimentKind.COUNTERFACTUAL, host, well=True, step_seconds=0.5)
    still = again(ExperimentKind.RERUN, well=False, step_seconds=4.0, failed_step="")

    def after(*tried):
        made = replace(evidence, experiments=tried)
        situation = a_situation(made, reference=an_archive(PAY), slow=(host,))
        return the_journey(replace(situation, left=replace(PLENTY, requests=0)))

    assert after(quick).kind is ExperimentKind.RERUN
    journey = after(quick, still)
    assert (journey.kind, journey.hosts, journey.archive) == (ExperimentKind.COUNTERFACTUAL, (host,), "/archive")
    assert after(quick, still, quick) is None


def test_a_vendor_whose_script_works_too_long_is_left_out_and_not_answered_at_once():
    step = a_step(outcome=StepOutcome.DEGRADED, budget=1.0)
    work = (ScriptTime(url=CDN, seconds=2.0, step="pay"),)
    evidence = passed(page(), request(CDN, resource="script"), scripts=work)
    evidence = replace(evidence, attempts=(an_attempt(outcome=Outcome.DEGRADED, steps=(step,)),))
    situation = a_situation(evidence, reference=an_archive(CDN), slow=("cdn.libraries.example",))
    journey = the_journey(replace(situation, left=replace(PLENTY, requests=0)))
    assert journey is not None
    assert (journey.kind, journey.hosts, journey.archive) == (
        ExperimentKind.COUNTERFACTUAL,
        ("cdn.libraries.example",),
        "",
    )


def test_where_our_own_request_stayed_open_a_vendor_that_changed_is_left_out():
    changes = compared(difference(DifferenceKind.CONTENT, CDN, resource="script"))
    evidence = failed(page(), request(CDN, resource="script"), request(API, pending=True), compared=changes)
    first = interventions(a_situation(evidence))[0]
    assert (first.kind, first.hosts) == (ExperimentKind.BLOCK, ("cdn.libraries.example",))


def test_nothing_is_replayed_that_was_not_kept():
    changes = compared(difference(DifferenceKind.CONTENT, f"{SHOP}cart", resource="document"))
    assert of(a_broken_page(ADS, compared=changes), f"{SHOP}logo.png")[0] == "block"
    looked = well(ExperimentKind.REPROBE, "pay.payments.example", status=500)
    refused = failed(request(PAY, status=500), experiments=(looked,))
    assert of(refused, "https://pay.payments.example/logo.png")[0] == "rerun"
    assert of(refused, f"{PAY}?amount=1")[0] == "replay"


def test_what_answers_otherwise_is_suspected_before_what_does_not():
    answers = compared(difference(DifferenceKind.CONTENT, f"{SHOP}app.js", resource="script"))
    evidence = a_broken_page(ADS, CDN, f"{SHOP}app.js", compared=answers)
    assert of(evidence, f"{SHOP}app.js", ADS, CDN) == ("replay", ("www.shop.example",), "/app.js")


def test_a_policy_that_changed_is_put_back_where_it_forbids_a_request():
    changes = compared(
        difference(DifferenceKind.HEADER, SHOP, resource="document", header="content-security-policy"),
        difference(DifferenceKind.STATUS, PAY, resource="script"),
    )
    forbidden = request(PAY, resource="script", failure=Failure.POLICY_CSP)
    evidence = failed(page(), forbidden, compared=changes, kind=StepErrorKind.EXPECTATION)
    first = interventions(a_situation(evidence, reference=an_archive(SHOP, PAY)))[0]
    assert (first.kind, first.hosts) == (ExperimentKind.REPLAY, ("www.shop.example",))
    # Of a page with cookies nothing is kept, so there is no policy to put back.
    first = interventions(a_situation(evidence, reference=an_archive(f"{SHOP}app.js", PAY)))[0]
    assert first.hosts == ("pay.payments.example",)


def test_without_a_vendor_that_cannot_be_spared_nothing_is_said_so_it_is_kept():
    vendors = (*OWNERSHIP.vendors[:2], replace(OWNERSHIP.vendors[2], category="cdn"))
    journey = the_journey(a_situation(a_broken_page(ADS, CDN, PAY), ownership=replace(OWNERSHIP, vendors=vendors)))
    assert journey is not None
    assert journey.hosts == ("ads.adverts.example",)


def fell_short_by(kind: ExperimentKind, *hosts: str) -> Experiment:
    """A journey that broke off at an earlier step."""
    return replace(again(kind, *hosts, well=False), outcome=Outcome.INCONCLUSIVE, failed_step="open")


def test_where_leaving_out_all_broke_an_earlier_step_half_of_them_are_left_out():
    broke = fell_short_by(ExperimentKind.BLOCK, "ads.adverts.example", "cdn.libraries.example")
    kind, hosts, _ = of(a_broken_page(ADS, CDN, experiments=(broke,)))
    assert (kind, len(hosts)) == ("block", 1)


def test_a_vendor_without_which_an_earlier_step_broke_is_kept():
    broke = fell_short_by(ExperimentKind.BLOCK, "cdn.libraries.example")
    assert of(a_broken_page(ADS, CDN, experiments=(broke,))) == ("block", ("ads.adverts.example",), "")


@pytest.mark.parametrize("times", [1, 2])
def test_a_replay_that_broke_off_at_an_earlier_step_is_made_once_more(times):
    broke = (fell_short_by(ExperimentKind.REPLAY, "pay.payments.example"),) * times
    looked = well(ExperimentKind.REPROBE, "pay.payments.example", status=500)
    kind, _, _ = of(failed(request(PAY, status=500), experiments=(looked, *broke)), PAY)
    assert kind == ("replay" if times == 1 else "rerun")


def two_needed(*experiments: Experiment):
    """A page of which our own script and that of a vendor failed, and journeys that were made again."""
    looked = [well(ExperimentKind.REPROBE, host, status=500) for host in ("www.shop.example", "pay.payments.example")]
    own = request(f"{SHOP}pay.js", resource="script", status=500, initiator=Initiator(kind="parser"))
    theirs = request(PAY, resource="script", status=500, initiator=Initiator(kind="parser"))
    return failed(page(), own, theirs, experiments=(*looked, *experiments))


def test_needed_hosts_of_two_parties_are_replayed_singly_and_then_together():
    archive = an_archive(f"{SHOP}pay.js", PAY)
    hosts = {"www.shop.example", "pay.payments.example"}
    first = the_journey(a_situation(two_needed(), reference=archive))
    assert first is not None
    assert len(first.hosts) == 1
    one = again(ExperimentKind.REPLAY, *first.hosts, well=False)
    second = the_journey(a_situation(two_needed(one), reference=archive, left=replace(PLENTY, journeys=2)))
    assert second is not None
    assert {*first.hosts, *second.hosts} == hosts
    both = (one, again(ExperimentKind.REPLAY, *second.hosts, well=False))
    third = the_journey(a_situation(two_needed(*both), reference=archive, left=replace(PLENTY, journeys=1)))
    assert third is not None
    assert (third.kind, set(third.hosts)) == (ExperimentKind.REPLAY, hosts)


def test_of_a_page_that_hung_the_vendor_that_came_last_is_left_out():
    tags = request(TAGS, resource="script", initiator=Initiator(kind="parser"))
    open_ones = (request(url, resource="script", pending=True) for url in (f"{SHOP}app.js", CDN, ADS))
    evidence = failed(page(), tags, *open_ones, kind=StepErrorKind.TIMEOUT)
    situation = a_situation(evidence, left=replace(PLENTY, requests=0))
    assert the_journey(situation) is not None
    assert the_journey(situation).hosts == ("tags.adverts.example",)


@pytest.mark.parametrize(
    "seen", [{"scripts": (ScriptTime(url=TAGS, seconds=3.0, step="pay"),)}, {"intercepted_stack": (TAGS,)}]
)
def test_what_a_journey_made_again_shows_of_its_page_tells_whom_to_suspect(seen):
    broke = again(ExperimentKind.BLOCK, "ads.adverts.example", "cdn.libraries.example", well=False, **seen)
    kind, hosts, _ = of(a_broken_page(CDN, ADS, TAGS, kind=StepErrorKind.INTERCEPTED, experiments=(broke,)))
    assert (kind, hosts) == ("block", ("tags.adverts.example",))


def test_no_part_of_a_host_is_replayed_where_all_of_it_did_not_help():
    changes = compared(difference(DifferenceKind.CONTENT, f"{SHOP}app.js", resource="script"))
    tried = again(ExperimentKind.REPLAY, "www.shop.example", well=False)
    evidence = a_broken_page(f"{SHOP}app.js", compared=changes, experiments=(tried,))
    assert of(evidence, f"{SHOP}app.js")[0] == "rerun"


@pytest.mark.parametrize(("times", "more"), [(1, True), (2, True), (3, False)])
def test_a_journey_that_passes_is_made_up_to_three_times(times, more):
    reruns = (again(ExperimentKind.RERUN, well=True),) * times
    evidence = failed(BROKEN_API, experiments=(*reprobed(status=200), *reprobed(status=200, times=4), *reruns))
    journey = the_journey(a_situation(evidence))
    assert (journey is not None) is more


def test_what_a_vendor_visibly_failed_is_not_looked_for_again_once_it_is_gone():
    looked = well(ExperimentKind.REPROBE, "pay.payments.example", status=500)
    evidence = failed(request(PAY, status=500), experiments=(looked, again(ExperimentKind.RERUN, well=True)))
    assert the_journey(a_situation(evidence)) is None


def test_a_journey_that_failed_again_after_it_passed_is_enough():
    reruns = (again(ExperimentKind.RERUN, well=True), again(ExperimentKind.RERUN, well=False))
    evidence = failed(BROKEN_API, experiments=(*reprobed(status=500), *reruns))
    assert the_journey(a_situation(evidence)) is None


def test_a_host_whose_request_must_not_be_sent_again_is_looked_at_once():
    sent = failed(request(API, method="POST", status=404), experiments=reprobed(status=200))
    batch = next_batch(a_situation(sent))
    assert not [one for one in looks(batch) if one[0] == "reprobe"]


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


def test_an_ordinary_client_that_passed_is_tried_once_more_as_long_as_few_journeys_speak_for_it():
    well, still = again(ExperimentKind.PROFILE, well=True, subject="desktop"), again(ExperimentKind.RERUN, well=False)

    def after(*tried):
        old = {"name": "old", "supported": False}
        evidence = a_broken_page(ADS, experiments=tried)
        return the_journey(a_situation(evidence, profile=old, reference_profile=a_profile(name="desktop")))

    assert after(well).kind is ExperimentKind.RERUN
    assert (after(well, still).kind, after(well, still).subject) == (ExperimentKind.PROFILE, "desktop")
    assert after(well, still, well) is None


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


# A second account.

SECOND = (("email", "eve"), ("password", Secret("password", "second")))


def refused_sign_in(*, effects: str = "", second=SECOND, experiments=(), status: int = 401, url: str = API):
    exchange = request(url, method="POST", status=status)
    evidence = failed(page(), exchange, error={"exchange": url}, experiments=experiments)
    situation = a_situation(evidence, outline=an_outline(effects=effects))
    return replace(situation, check=replace(situation.check, second_account=second))


def accounts(situation) -> list:
    batch = next_batch(replace(situation, left=replace(PLENTY, requests=0)))
    again = batch.again if batch is not None else None
    return [again.values] if again is not None and again.kind is ExperimentKind.ACCOUNT else []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_sign_in_is_tried_with_the_second_account(status):
    assert accounts(refused_sign_in(status=status)) == [SECOND]


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(refused_sign_in(second=()), id="there is none"),
        pytest.param(refused_sign_in(effects="open"), id="a step on the way has effects"),
        pytest.param(refused_sign_in(experiments=(again(ExperimentKind.ACCOUNT, well=False),)), id="it was tried"),
        pytest.param(refused_sign_in(status=500), id="nobody was refused"),
        pytest.param(refused_sign_in(status=429), id="a limit was used up"),
        pytest.param(refused_sign_in(url=PAY), id="a vendor refuses our key"),
        pytest.param(replace(refused_sign_in(), left=replace(PLENTY, journeys=0)), id="nothing is left"),
    ],
)
def test_no_second_account_signs_in_where_it_must_not_or_tells_nothing(situation):
    batch = next_batch(replace(situation, left=replace(situation.left, requests=0)))
    assert batch is None or batch.again is None or batch.again.kind is not ExperimentKind.ACCOUNT


# Whether a guard refuses the monitor by its name.


def named_looks(situation: Situation) -> list[str]:
    return [one[2] for one in looks(next_batch(situation)) if one[0] == "client"]


@pytest.mark.parametrize(
    ("broken", "asked"),
    [
        ({"status": 503}, ["ordinary browser"]),
        ({"status": 404}, ["ordinary browser"]),
        ({"failure": Failure.TCP_RESET, "failed_phase": Phase.WAIT}, ["ordinary browser"]),
        ({"failure": Failure.TCP_RESET, "failed_phase": Phase.TLS}, []),
        ({"failure": Failure.TCP_REFUSED, "failed_phase": Phase.CONNECT}, []),
        ({"status": 500}, []),
        ({"status": 503, "method": "POST"}, []),
        ({"status": 429}, []),
    ],
)
def test_who_turned_a_request_down_is_asked_once_as_an_ordinary_browser(broken, asked):
    assert named_looks(a_situation(failed(request(API, **broken), error={"exchange": API}))) == asked


def test_where_an_ordinary_browser_is_answered_both_names_are_tried_several_times():
    broken = request(API, status=503, resource="http")
    ordinary = look(ExperimentKind.CLIENT, "api.shop.example", by="ordinary browser", url=API)
    evidence = failed(broken, error={"exchange": API}, experiments=(*controls(), ordinary))
    situation = a_situation(evidence)
    assert sorted(named_looks(situation)) == sorted(["the monitor's own name", "ordinary browser"] * 3)
    # Whose failure it is may be sure, and still not whether customers meet it.
    confirmed = replace(evidence, experiments=(*evidence.experiments, *reprobed(status=503)))
    sure = a_situation(confirmed)
    assert sure.case.settled
    assert len(named_looks(sure)) == 6
    refused = replace(evidence, experiments=(*controls(), replace(ordinary, outcome=Outcome.FAILED)))
    assert named_looks(a_situation(refused)) == []


def test_a_headless_browsers_own_name_is_that_of_its_engine():
    broken = page(status=503)
    ordinary = look(ExperimentKind.CLIENT, broken.host, by="ordinary browser", url=broken.url)
    evidence = failed(broken, error={"exchange": broken.id}, experiments=(*controls(), ordinary))
    named = replace(evidence, engine="Chromium headless shell 151.0.1.2, Playwright 1.62.0")
    batch = next_batch(a_situation(named))
    ours = next(one for one in batch.looks if one.by == "the monitor's own name")
    assert "HeadlessChrome/151.0.0.0" in ours.user_agent
    assert named_looks(a_situation(replace(evidence, engine="Firefox 140"))) == []
