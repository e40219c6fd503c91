from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from monitor.reading.names import Slug
from monitor.reading.problem import ReadingError
from monitor.reading.quantities import Duration, Rate, Size
from monitor.reading.reader import read_text
from monitor.reading.validation import FileModel, validate


class Entry(FileModel):
    journey: Slug
    every: Duration | None = None
    attempts: int = Field(default=1, ge=1, le=5)
    engine: Literal["chromium", "firefox"] = "chromium"
    share: float = Field(default=0.5, gt=0, lt=1)
    title: str = ""
    enabled: bool = True


class File(FileModel):
    checks: list[Entry] = Field(min_length=1)
    named: dict[Slug, Entry] = Field(default_factory=dict)


def the_problems(text: str) -> list[str]:
    with pytest.raises(ReadingError) as raised:
        validate(read_text(text, file="f"), File, {"retries": "attempts"})
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f:1:1: the file is empty; see docs/configuration.md"),
        ("# nothing\n", "f:1:1: the file is empty; see docs/configuration.md"),
        ("- 1\n", "f:1:1: must be a mapping: 'key: value', one on a line"),
        ("checks: 1\n", "f:1:9: checks: must be a list: '- item', one on a line"),
        ("checks: []\n", "f:1:9: checks: must not be empty"),
        ("checks:\n  - every: 5m\n", "f:2:5: checks[0]: 'journey' is missing"),
        (
            "checks:\n  - {journey: a, jourrney: b}\n",
            "f:2:18: checks[0].jourrney: unknown key; did you mean 'journey'?",
        ),
        ("checks:\n  - {journey: a, retrys: 2}\n", "f:2:18: checks[0].retrys: unknown key; did you mean 'attempts'?"),
        ("checks:\n  - {journey: a, zzz: 2}\n", "f:2:18: checks[0].zzz: unknown key"),
        ("checks: [{journey: a, attempts: '2'}]", "f:1:33: checks[0].attempts: must be a whole number, without quotes"),
        ("checks: [{journey: a, attempts: 9}]", "f:1:33: checks[0].attempts: must be at most 5"),
        ("checks: [{journey: a, share: 1}]", "f:1:30: checks[0].share: must be less than 1; write 99.9 % as 0.999"),
        ("checks: [{journey: a, title: 3}]", "f:1:30: checks[0].title: must be text; put quotes around it"),
        ("checks: [{journey: a, enabled: 'true'}]", "f:1:32: checks[0].enabled: must be true or false, without quotes"),
        (
            "checks: [{journey: a, engine: firefx}]",
            "f:1:31: checks[0].engine: 'firefx' is not one of chromium, firefox; did you mean 'firefox'?",
        ),
        (
            "checks: [{journey: a}]\nnamed:\n  A b: {journey: x}\n",
            "f:3:3: named.A b: 'A b' is not a name; write lower-case letters, digits and dashes, at most 63",
        ),
    ],
)
def test_what_does_not_fit_is_told_at_its_place_with_the_remedy(text: str, problem: str):
    assert the_problems(text) == [problem]


def test_everything_is_told_at_once_and_in_the_order_of_the_file():
    problems = the_problems(
        "checks:\n  - every: 5 minutes\n    journey: no\n  - retrys: 3\n    journey: a\n    journey: b\n"
    )
    assert problems == [
        "f:2:12: checks[0].every: '5 minutes' is not a duration; write 30s, 5m or 1h",
        "f:3:14: checks[0].journey: 'no' is ambiguous: write false, or \"no\" in quotes for text",
        "f:4:5: checks[1].retrys: unknown key; did you mean 'attempts'?",
        "f:6:5: checks[1].journey: 'journey' is given twice, first on line 5; keep one",
    ]


class Amounts(FileModel):
    time: Duration
    size: Size
    rate: Rate


def test_quantities_are_read_with_their_units():
    amounts = validate(read_text("time: 1h30m\nsize: 2GiB\nrate: 400kbit/s\n", file="f"), Amounts)
    assert amounts.time.total_seconds() == 5400
    assert amounts.size == 2 * 2**30
    assert amounts.rate == 400_000


@pytest.mark.parametrize("text", ["30", "0s", "-5m", "5 m", "1e9s", "99999999d", "s", "1m" * 100, "true", "[1]", "''"])
def test_a_duration_without_a_unit_or_out_of_range_is_refused(text: str):
    with pytest.raises(ReadingError, match="f:1:7: time: "):
        validate(read_text(f"time: {text}\nsize: 2GiB\nrate: 400kbit/s\n", file="f"), Amounts)
