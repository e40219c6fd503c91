from __future__ import annotations

from monitor.reading.problem import Problem, ReadingError, dotted, quoted, shown
from monitor.reading.suggestion import did_you_mean


def a_problem(line: int, message: str = "wrong") -> Problem:
    return Problem(file="f", line=line, column=1, path="a", message=message)


def test_problems_are_sorted_by_place_and_each_is_told_once():
    error = ReadingError([a_problem(2), a_problem(1), a_problem(2)])
    assert str(error) == "f:1:1: a: wrong\nf:2:1: a: wrong"


def test_a_path_is_written_as_people_do():
    assert dotted(("checks", 0, "values", "a")) == "checks[0].values.a"
    assert len(dotted(("a" * 50,) * 40)) <= 120


def test_foreign_text_is_shortened_and_made_visible():
    assert shown("a\n\u202eb\x00") == "a\\n\\u202eb\\x00"
    assert shown("a" * 100) == "a" * 59 + "…"
    assert quoted({"password": "x"}) == "a mapping"


def test_a_guess_is_made_only_where_it_is_near():
    assert did_you_mean("Checkoot", ["checkout", "login"]) == "; did you mean 'checkout'?"
    assert did_you_mean("zzz", ["checkout", "login"]) == ""
    assert did_you_mean("retrys", ["attempts"], {"retries": "attempts"}) == "; did you mean 'attempts'?"
    assert did_you_mean("retrys", ["every"], {"retries": "attempts"}) == ""
    assert did_you_mean("x" * 100_000, ["checkout"]) == ""
