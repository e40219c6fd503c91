"""A run as the terminal shows it."""

from __future__ import annotations

import pytest

from monitor.cli.telling import tell
from monitor.diagnosis.names import load_names
from monitor.domain.evidence import StepErrorKind
from monitor.domain.reference import Lately
from tests.diagnosis.incidents import Court, failed, page

MESSAGE = "Locator expected to be visible\nActual value: None\nError: element(s) not found"


def test_a_message_of_several_lines_stands_below_its_first_one():
    evidence = failed(page(), kind=StepErrorKind.EXPECTATION, error={"message": MESSAGE})
    lines = [line.plain for line in tell("buy@shop/desktop", "run-1", Court(load_names()).judge(evidence), evidence)]
    shown = "\n".join(lines).splitlines()
    of_step = shown.index("        Locator expected to be visible")
    assert shown[of_step + 1 : of_step + 3] == ["        Actual value: None", "        Error: element(s) not found"]
    of_evidence = shown.index("    - Locator expected to be visible")
    assert shown[of_evidence + 1 : of_evidence + 3] == ["      Actual value: None", "      Error: element(s) not found"]


@pytest.mark.parametrize(
    ("lately", "words"),
    [
        (Lately(runs=0, failed=0, returns=0), "In the day before there was no run of the check that tells anything."),
        (Lately(runs=48, failed=0, returns=0), "None of the last runs of the check in the day before failed (48)."),
        (Lately(runs=48, failed=3, returns=0), "Of the last 48 runs of the check in the day before 3 failed."),
        (
            Lately(runs=48, failed=0, returns=1),
            "Of the last 48 runs of the check in the day before 0 failed; it was well again once.",
        ),
    ],
)
def test_how_the_check_fared_before_is_told_with_what_the_verdict_rests_on(lately, words):
    evidence = failed(page(), lately=lately)
    judgement = Court(load_names()).judge(evidence)
    assert f"  {words}" in [line.plain for line in tell("buy@shop/desktop", "run-1", judgement, evidence, fully=True)]
    assert words not in "".join(line.plain for line in tell("buy@shop/desktop", "run-1", judgement, evidence))
