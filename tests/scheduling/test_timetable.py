from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from monitor.domain.check import Schedule
from monitor.scheduling.timetable import (
    Crontab,
    Grid,
    ScheduleError,
    datetime_of,
    longest_gap,
    moment_of,
    timetable_of,
)

BERLIN = "Europe/Berlin"


def following(timetable, start: dt.datetime, count: int) -> list[dt.datetime]:
    moments = []
    moment: int | None = moment_of(start)
    for _ in range(count):
        moment = timetable.following(moment)
        if moment is None:
            break
        moments.append(datetime_of(moment))
    return moments


def local(moments: list[dt.datetime], zone: str = BERLIN) -> list[str]:
    return [moment.astimezone(ZoneInfo(zone)).strftime("%d. %H:%M %z") for moment in moments]


def test_moments_of_a_grid_are_one_interval_apart_and_the_same_from_wherever_one_looks():
    grid = Grid("a@b/c", dt.timedelta(seconds=60))
    start = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
    first, second = following(grid, start, 2)
    assert second - first == dt.timedelta(seconds=60)
    assert following(grid, start + dt.timedelta(seconds=0.5), 1)[0] in {first, second}
    assert following(grid, first, 1) == [second]


def test_a_check_keeps_its_phase_over_restarts_whatever_other_checks_there_are():
    assert Grid("checkout@shop/desktop", dt.timedelta(minutes=1)).offset == 52_790


def test_ten_thousand_checks_spread_evenly_over_their_interval():
    offsets = Counter(Grid(f"check-{n}@shop/desktop", dt.timedelta(minutes=1)).offset // 1_000 for n in range(10_000))
    assert len(offsets) == 60
    assert max(offsets.values()) < 1.4 * 10_000 / 60
    assert min(offsets.values()) > 0.6 * 10_000 / 60


def test_a_local_time_that_is_left_out_in_spring_comes_once_an_hour_later():
    moments = following(Crontab("30 2 * * *", BERLIN), dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC), 2)
    assert local(moments) == ["29. 03:30 +0200", "30. 02:30 +0200"]


def test_a_local_time_that_comes_twice_in_autumn_counts_once():
    moments = following(Crontab("30 2 * * *", BERLIN), dt.datetime(2026, 10, 24, 12, tzinfo=dt.UTC), 2)
    assert local(moments) == ["25. 02:30 +0200", "26. 02:30 +0100"]


def test_an_expression_that_means_every_hour_goes_on_through_both_changes():
    autumn = following(Crontab("*/30 * * * *", BERLIN), dt.datetime(2026, 10, 24, 23, 50, tzinfo=dt.UTC), 6)
    spring = following(Crontab("*/30 * * * *", BERLIN), dt.datetime(2026, 3, 29, 0, 10, tzinfo=dt.UTC), 3)
    assert {later - earlier for earlier, later in itertools.pairwise(autumn)} == {dt.timedelta(minutes=30)}
    assert local(spring) == ["29. 01:30 +0100", "29. 03:00 +0200", "29. 03:30 +0200"]


def test_a_year_of_a_daily_expression_has_one_moment_on_each_day():
    moments = following(Crontab("30 2 * * *", BERLIN), dt.datetime(2025, 12, 31, 12, tzinfo=dt.UTC), 365)
    assert len({moment.astimezone(ZoneInfo(BERLIN)).date() for moment in moments}) == 365


def test_weekdays_are_those_that_are_named():
    moments = following(Crontab("0 6 * * mon,sun", "UTC"), dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC), 3)
    assert [moment.strftime("%a") for moment in moments] == ["Sun", "Mon", "Sun"]


@pytest.mark.parametrize(
    ("schedule", "part"),
    [
        (Schedule(), "neither an interval nor a crontab"),
        (Schedule(interval=dt.timedelta()), "too short"),
        (Schedule(cron="* * * *"), "weekday"),
        (Schedule(cron="0 6 * * 1-5"), "by name"),
        (Schedule(cron="61 6 * * *"), "not a crontab expression"),
        (Schedule(cron="0 6 * * *", timezone="Europe/Berlon"), "Europe/Berlon"),
        (Schedule(cron="0 6 31 2 *"), "never comes"),
    ],
)
def test_a_schedule_that_names_no_moments_is_refused_in_clear_words(schedule, part):
    with pytest.raises(ScheduleError, match=part):
        timetable_of("a@b/c", schedule)


def test_the_longest_gap_of_a_crontab_spans_its_weekend():
    working_days = Schedule(cron="0 9 * * mon-fri", timezone="UTC")
    tuesday = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
    assert longest_gap(working_days, tuesday) == dt.timedelta(days=3)
    assert longest_gap(Schedule(interval=dt.timedelta(minutes=5)), tuesday) == dt.timedelta(minutes=5)
