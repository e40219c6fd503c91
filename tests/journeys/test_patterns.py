from __future__ import annotations

import time

import pytest

from monitor.domain.evidence import ProberFault
from monitor.journeys.patterns import Pattern, PatternError, escape
from monitor.probes.session import ProberError

A_MEGABYTE = "a" * 1_000_000


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a+)+b", r"(a|a)*b", r"(a|aa)+b", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_pattern_that_ruins_other_engines_takes_bounded_time(pattern):
    began = time.process_time()
    Pattern(pattern).search(A_MEGABYTE)
    assert time.process_time() - began < 5


def test_a_pattern_that_could_take_long_even_here_is_our_fault_and_not_tried():
    began = time.process_time()
    with pytest.raises(ProberError) as caught:
        Pattern(r"(.*a.{200})$").search(A_MEGABYTE)
    assert caught.value.fault is ProberFault.ASSERTION_TIMEOUT
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [("(", "missing"), (r"(a)\1", "back-references"), ("(?=a)", "without look-around"), ("a" * 3000, "at most")],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(PatternError, match=reason):
        Pattern(pattern)


def test_the_first_group_is_what_is_found_and_the_whole_match_where_there_is_none():
    assert Pattern(r"order (\d+)").search("your order 42 is placed") == "42"
    assert Pattern(r"order \d+").search("your order 42 is placed") == "order 42"
    assert Pattern(r"order(x)?").search("order") == ""
    assert Pattern(r"invoice").search("order") is None


def test_an_escaped_text_matches_itself_only():
    assert Pattern(escape("1+1=2?")).search("so 1+1=2?") == "1+1=2?"
    assert Pattern(escape("1+1")).search("111") is None
