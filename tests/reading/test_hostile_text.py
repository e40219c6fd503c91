"""Whatever stands in a file, reading it ends in data or in problems, and in nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.reading.problem import ReadingError
from monitor.reading.reader import read, read_text

WORDS = st.sampled_from(
    [
        "a",
        ":",
        ": ",
        "- ",
        "\n",
        "  ",
        "[",
        "]",
        "{",
        "}",
        "&x ",
        "*x",
        "!!int ",
        "!",
        "'",
        '"',
        "|",
        ">",
        "#",
        "---",
        "?",
        "<<",
    ]
)
TOKENS = st.lists(st.one_of(WORDS, st.text(max_size=4)), max_size=40).map("".join)


@given(st.one_of(TOKENS, st.text(max_size=200)))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_read_or_refused(text: str):
    try:
        document = read_text(text, file="f")
    except ReadingError as error:
        problems = error.problems
        assert problems
    else:
        problems = document.problems
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029")
    for problem in problems:
        assert 1 <= problem.line <= lines + 2
        assert str(problem).isprintable()


@given(data=st.binary(max_size=100))
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bytes_are_read_or_refused(data: bytes, tmp_path: Path):
    path = tmp_path / "any.yaml"
    path.write_bytes(data)
    with contextlib.suppress(ReadingError):
        read(path)
