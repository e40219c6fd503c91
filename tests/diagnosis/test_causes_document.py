from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.diagnosis.judge import RULES
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.outcome import Outcome, Validity

DOCUMENT = Path("docs/causes.md").read_text(encoding="utf-8")
ROWS = set(re.findall(r"^\| `([^`]+)` \|", DOCUMENT, flags=re.MULTILINE))


@pytest.mark.parametrize("word", [*Cause, *Detail, *Confidence])
def test_every_word_has_a_row(word):
    assert word.value in ROWS


@pytest.mark.parametrize("word", [*Outcome, *Validity])
def test_every_outcome_and_validity_is_explained(word):
    assert f"`{word.value}`" in DOCUMENT


def test_every_rule_has_a_row():
    assert {*(rule.id for rule in RULES), "R15", "R17", "R18"} <= ROWS


def test_every_row_is_a_word_of_the_product():
    words = {word.value for kind in (Cause, Detail, Confidence) for word in kind}
    rules = {*(rule.id for rule in RULES), "R15", "R17", "R18"}
    assert words | rules == ROWS


def test_rules_are_listed_in_the_order_in_which_they_decide():
    listed = re.findall(r"^\| `([RS]\d+)` \|", DOCUMENT, flags=re.MULTILINE)
    assert listed == [*dict.fromkeys([*(rule.id for rule in RULES), "R15", "R17", "R18"])]
