"""A run as the terminal shows it."""

from __future__ import annotations

from monitor.cli.telling import tell
from monitor.diagnosis.names import load_names
from monitor.domain.evidence import StepErrorKind
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
