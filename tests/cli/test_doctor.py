from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.cli.doctor import Grade, browsers_needed, load_finding, missing_browser
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.domain.profile import ClientProfile, Engine
from tests.builders import a_check


@pytest.mark.parametrize(("load", "processors", "grade"), [(3.9, 2, Grade.GOOD), (4.1, 2, Grade.WARNING)])
def test_a_machine_with_more_work_than_processors_is_warned_of(load, processors, grade):
    found = load_finding(load, processors)
    assert found.grade is grade
    assert found.text.startswith(f"load {load} on 2 processors")


def test_one_processor_is_told_of_as_one():
    assert load_finding(0.5, 1).text == "load 0.5 on 1 processor"


@pytest.mark.parametrize(
    ("profile", "probe", "wanted"),
    [
        (ClientProfile(name="x"), ProbeKind.BROWSER, {"headless Chromium"}),
        (ClientProfile(name="x", full_browser=True), ProbeKind.BROWSER, {"full Chromium"}),
        (ClientProfile(name="x", engine=Engine.FIREFOX, full_browser=True), ProbeKind.BROWSER, {"Firefox"}),
        (ClientProfile(name="x", engine=Engine.WEBKIT), ProbeKind.BROWSER, {"WebKit"}),
        (ClientProfile(name="x"), ProbeKind.HTTP, set()),
    ],
)
def test_the_browsers_that_checks_need_follow_from_their_profiles(settings, profile, probe, wanted):
    catalogue = JourneyCatalogue(journeys=(JourneyOutline(name="browse", title="Browse", probe=probe, steps=()),))
    checks = (a_check(profile=profile), a_check(name="off", enabled=False))
    assert browsers_needed(replace(settings, checks=checks), catalogue) == wanted


def test_a_browser_that_is_missing_is_bad_where_a_check_needs_it_and_else_a_warning():
    assert missing_browser("Firefox", "it is not installed", needed=True).bad
    assert not missing_browser("Firefox", "it is not installed", needed=False).bad
