from __future__ import annotations

import datetime as dt

import pytest

from monitor.domain.check import MaintenanceWindow, Schedule
from monitor.scheduling.maintenance import Maintenance
from monitor.scheduling.timetable import moment_of
from tests.builders import A_MOMENT

HOUR = dt.timedelta(hours=1)
NAMES = ("buy@shop/desktop", "buy@shop/phone", "api@shop/desktop")


def covered(window: MaintenanceWindow, moment: dt.datetime) -> frozenset[str]:
    return Maintenance((window,)).covered(NAMES, moment_of(moment))


def once(*checks: str) -> MaintenanceWindow:
    return MaintenanceWindow(name="move", start=A_MOMENT, end=A_MOMENT + HOUR, checks=checks)


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ((), NAMES),
        (("buy@shop/phone",), NAMES[1:2]),
        (("buy@*",), NAMES[:2]),
        (("api@shop/desktop", "buy@*/phone"), NAMES[1:]),
        (("nobody@shop/desktop",), ()),
    ],
)
def test_a_window_covers_the_checks_that_it_names(checks, expected):
    assert covered(once(*checks), A_MOMENT) == frozenset(expected)


@pytest.mark.parametrize(("after", "expected"), [(-0.001, False), (0, True), (3599.999, True), (3600, False)])
def test_a_window_covers_its_first_moment_and_not_the_one_at_which_it_ends(after, expected):
    moment = A_MOMENT + dt.timedelta(seconds=after)
    assert bool(covered(once(), moment)) == expected
    assert Maintenance((once(),)).covers(NAMES[0], moment_of(moment)) == expected


def test_a_window_that_comes_back_covers_for_as_long_as_it_lasts():
    window = MaintenanceWindow(name="nightly", cron=Schedule(cron="5 * * * *"), duration=dt.timedelta(minutes=2))
    hour = A_MOMENT.replace(minute=0, second=0, microsecond=0)
    minutes = [minute for minute in range(60) if covered(window, hour + dt.timedelta(minutes=minute))]
    assert minutes == [5, 6]


def test_windows_are_told_of_as_they_are_skipped_by():
    """Both answers of the same windows agree at every minute of a day, whatever was asked before."""
    windows = (
        once("buy@*"),
        MaintenanceWindow(
            name="n", cron=Schedule(cron="*/20 * * * *"), duration=dt.timedelta(minutes=7), checks=NAMES[2:]
        ),
    )
    one, other = Maintenance(windows), Maintenance(windows)
    for minute in range(24 * 60):
        moment = moment_of(A_MOMENT + dt.timedelta(minutes=minute))
        assert one.covered(NAMES, moment) == {name for name in NAMES if other.covers(name, moment)}
