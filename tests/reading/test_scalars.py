from __future__ import annotations

import pytest

from monitor.reading.scalars import AmbiguousScalar, typed


@pytest.mark.parametrize("text", ["on", "off", "yes", "no", "On", "NO", "Yes"])
def test_a_word_that_only_some_readers_take_for_truth_is_refused(text: str):
    with pytest.raises(AmbiguousScalar, match=r"write (true|false)"):
        typed(text)


@pytest.mark.parametrize(
    "text",
    [
        "012",
        "00",
        "0x1F",
        "0o17",
        "0b11",
        "1:30",
        "190:20:30",
        "1e3",
        "1.5e+3",
        "1_000",
        ".5",
        "5.",
        ".inf",
        "-.INF",
        ".nan",
    ],
)
def test_a_number_that_readers_count_differently_is_refused(text: str):
    with pytest.raises(AmbiguousScalar, match="quote it for text"):
        typed(text)


def test_a_number_too_long_to_be_one_is_refused():
    with pytest.raises(AmbiguousScalar, match="too long"):
        typed("9" * 5000)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.50", 1.5),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("30s", "30s"),
        ("127.0.0.1:9488", "127.0.0.1:9488"),
        ("2026-12-01", "2026-12-01"),
        ("2026-12-01T02:00:00+01:00", "2026-12-01T02:00:00+01:00"),
        ("online", "online"),
        ("y", "y"),
        ("1280x800", "1280x800"),
        ("3g", "3g"),
        ("-", "-"),
    ],
)
def test_a_plain_word_is_what_everybody_takes_it_for(text: str, value: object):
    assert typed(text) == value
    assert type(typed(text)) is type(value)
