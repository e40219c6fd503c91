from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.diagnosis.case import case_of
from monitor.diagnosis.context import context_for
from monitor.domain.evidence import Evidence, Truncation
from monitor.domain.experiment import ExperimentKind
from monitor.investigation.episodes import ANEW_AFTER, Episodes, Extent
from tests.builders import a_check, a_run, a_target
from tests.diagnosis.incidents import API, OWNERSHIP, PAY, SHOP, again, controls, failed, request
from tests.investigation.situations import NAMES, TAGS

CHECK = a_check(target=a_target(base_url=SHOP))
CONTEXT = context_for(CHECK, OWNERSHIP, NAMES)
DOWN = failed(request(API, status=500))


@pytest.fixture
def episodes() -> Episodes:
    return Episodes()


def begin(episodes: Episodes, evidence: Evidence = DOWN, *, number: int = 1):
    run = a_run(run_id=f"run-{number}", check=CHECK, evidence=evidence)
    return episodes.begin(run, case_of(evidence, CONTEXT))


def investigated(episodes: Episodes, number: int = 1) -> None:
    found = failed(request(API, status=500), experiments=(*controls(), again(ExperimentKind.RERUN, well=False)))
    episodes.investigated(a_run(run_id=f"run-{number}", check=CHECK, evidence=found))


def test_the_first_failure_is_investigated_and_the_next_go_by_it(episodes):
    assert begin(episodes) == (Extent.FULL, ())
    investigated(episodes)
    extent, carried = begin(episodes, number=2)
    assert extent is Extent.BRIEF
    assert [(each.kind, each.of_run) for each in carried] == [(ExperimentKind.RERUN, "run-1")]


def test_what_was_not_yet_investigated_is_so_at_the_next_failure(episodes):
    begin(episodes)
    assert begin(episodes, number=2) == (Extent.FULL, ())


def test_another_way_to_fail_is_investigated_anew_within_the_same_episode(episodes):
    begin(episodes)
    investigated(episodes)
    assert begin(episodes, failed(request(PAY, status=500)), number=2) == (Extent.FULL, ())
    assert [episode.runs for episode in episodes.open] == [2]


def test_after_many_repeats_it_is_investigated_anew(episodes):
    begin(episodes)
    investigated(episodes)
    extents = [begin(episodes, number=number)[0] for number in range(ANEW_AFTER + 1)]
    assert extents == [Extent.BRIEF] * ANEW_AFTER + [Extent.FULL]


def test_a_repetition_that_passed_tells_nothing_of_the_next_run_that_fails(episodes):
    begin(episodes)
    found = failed(request(API, status=500), experiments=(*controls(), again(ExperimentKind.RERUN, well=True)))
    episodes.investigated(a_run(run_id="run-1", check=CHECK, evidence=found))
    assert begin(episodes, number=2) == (Extent.FULL, ())


def test_an_investigation_that_was_cut_short_is_made_up_for_at_the_next_failure(episodes):
    begin(episodes)
    cut = (Truncation(what="experiments", kept=3, seen=5),)
    found = failed(request(API, status=500), experiments=controls(), truncated=cut)
    episodes.investigated(a_run(run_id="run-1", check=CHECK, evidence=found))
    assert begin(episodes, number=2) == (Extent.FULL, ())


def test_what_was_tried_with_a_host_says_nothing_of_a_run_that_did_not_ask_it(episodes):
    begin(episodes)
    tried = (again(ExperimentKind.BLOCK, "tags.adverts.example", well=True), again(ExperimentKind.RERUN, well=False))
    tagged = failed(request(API, status=500), request(TAGS, resource="script"))
    episodes.investigated(a_run(run_id="run-1", check=CHECK, evidence=replace(tagged, experiments=tried)))
    assert begin(episodes, tagged, number=2)[0] is Extent.BRIEF
    assert begin(episodes, DOWN, number=3) == (Extent.FULL, ())


def test_a_pass_ends_it(episodes):
    begin(episodes)
    investigated(episodes)
    ended = episodes.end(CHECK.name)
    assert ended is not None
    assert ended.runs == 1
    assert begin(episodes, number=2) == (Extent.FULL, ())
    assert episodes.end("another") is None


def test_checks_that_are_no_more_are_forgotten(episodes):
    begin(episodes)
    episodes.retain(frozenset())
    assert episodes.open == ()
