from __future__ import annotations

import re

import pytest

from monitor.config.crontab import check_cron, moments_per_year, shortest_gap_minutes


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("* * * * *", "* * * * *"),
        ("*/15 6-18 * * mon-fri", "*/15 6-18 * * mon,tue,wed,thu,fri"),
        ("0 3 1 JAN *", "0 3 1 jan *"),
        ("0  3 * * 0", "0 3 * * sun"),
        ("0 3 * * 7", "0 3 * * sun"),
        ("0 3 * * 5-7", "0 3 * * sun,fri,sat"),
        ("5-59/10,3 0 29 2 *", "5-59/10,3 0 29 2 *"),
    ],
)
def test_standard_expressions_are_taken_with_weekdays_by_name(written: str, meant: str):
    assert check_cron(written) == meant


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "five fields"),
        ("@hourly", "five fields"),
        ("* * * *", "five fields"),
        ("0 0 0 * * *", "five fields"),
        ("60 * * * *", "'60' is no minute; write 0 to 59"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of the month"),
        ("0 0 * 13 *", "'13' is no month"),
        ("0 0 * * 8", "'8' is no day of the week"),
        ("0 0 * * mno", "did you mean 'mon'"),
        ("0 0 * * fri-mon", "runs backwards"),
        ("5/15 * * * *", "write 5-59/15"),
        ("*/0 * * * *", "must be from 1 to 59"),
        ("0 0 31 2 *", "never comes: no such month has a day 31"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 1 * mon", "readers differ on that"),
        ("0 0 L * *", "is not a number"),
        ("0 0 ? * *", "is not a number"),
        ("1,,2 * * * *", "is not a number"),
        ("٣ * * * *", "is not a number"),
    ],
)
def test_what_readers_take_differently_or_nobody_takes_is_refused(written: str, why: str):
    with pytest.raises(ValueError, match=re.escape(why)):
        check_cron(written)


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [("* * * * *", 1), ("*/15 * * * *", 15), ("0 6 * * *", 1440), ("50,10 0,23 * * *", 20), ("0,45 */2 * * *", 45)],
)
def test_the_shortest_gap_reaches_over_midnight(cron: str, minutes: int):
    assert shortest_gap_minutes(cron) == minutes


@pytest.mark.parametrize(
    ("cron", "count"), [("0 * * * *", 8760), ("0 6 * * mon", 52), ("0 6 1 * *", 12), ("0 0 29 feb *", 0)]
)
def test_moments_are_counted_over_a_year(cron: str, count: int):
    assert moments_per_year(cron) == count
