"""A drill as it is told, and its picture."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from monitor.cli import drill
from monitor.cli.drill_picture import svg_of
from monitor.cli.exits import Exit
from monitor.domain.outcome import Outcome
from monitor.investigation.drill import KINDS, Dependency, DrillReport, Finding, Supplier, TrialResult
from tests.builders import A_MOMENT


def a_finding(name: str, dependency: Dependency, outcome: Outcome = Outcome.PASSED) -> Finding:
    supplier = Supplier(name=name, hosts=(f"{name}.example",), steps=("open", "pay"), requests=2)
    trials = tuple(
        TrialResult(kind=kind, outcome=outcome, failed_step="pay" if outcome is Outcome.FAILED else "", error="no form")
        for kind in KINDS
    )
    return Finding(supplier=supplier, dependency=dependency, why="without it the journey stops at 'pay'", trials=trials)


REPORT = DrillReport(
    check="checkout@shop/desktop",
    at=A_MOMENT,
    steps=("open", "pay"),
    until="order",
    delay=10.0,
    clean_seconds=2.0,
    findings=(
        a_finding("pay<&>", Dependency.HARD, Outcome.FAILED),
        a_finding("fonts", Dependency.BRITTLE),
        a_finding("ads", Dependency.SURVIVES),
    ),
)


def told(capsys, report: DrillReport, new: tuple[str, ...] = ()) -> str:
    drill._tell(report, new, None)
    return capsys.readouterr().out


def test_a_drill_is_told_by_step_by_third_party_and_by_what_to_worry_about(capsys):
    text = told(capsys, replace(REPORT, doubt="at the end it fails by itself"), new=("fonts",))
    for expected in (
        "pay<&> (cannot live without it)",
        "order changes something, so neither it nor a later step was tried",
        "10 s late",
        "single point of failure: pay<&>: without it the journey stops at 'pay' (no form)",
        "new since the last drill: fonts",
        "do not trust this: at the end it fails by itself",
    ):
        assert expected in text


def test_a_journey_without_third_parties_is_said_to_have_none(capsys):
    assert "asks no third party for anything" in told(capsys, replace(REPORT, findings=()))
    assert "no single point of failure among 1" in told(capsys, replace(REPORT, findings=REPORT.findings[2:]))


def test_the_picture_is_sound_and_names_every_step_and_third_party():
    root = ET.fromstring(svg_of(REPORT))
    words = " ".join(root.itertext())
    for expected in ("1. open", "2. pay", "pay<&>", "fonts", "ads", "2 single points of failure", "before 'order'"):
        assert expected in words
    lines = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if " C" in path.get("d", "")]
    assert len(lines) == 6


def test_a_journey_without_third_parties_has_a_picture_too():
    assert ET.fromstring(svg_of(replace(REPORT, findings=()))) is not None


def test_the_exit_status_tells_single_points_of_failure_from_findings_that_may_not_be_trusted():
    assert drill._exit_of(REPORT) is Exit.FAILED
    assert drill._exit_of(replace(REPORT, findings=REPORT.findings[2:])) is Exit.GOOD
    assert drill._exit_of(replace(REPORT, doubt="it fails by itself now")) is Exit.INCONCLUSIVE
    unknown = (a_finding("x", Dependency.UNKNOWN, Outcome.INCONCLUSIVE),)
    assert drill._exit_of(replace(REPORT, findings=unknown)) is Exit.INCONCLUSIVE


def test_a_check_that_is_not_there_is_one_line_with_the_nearest_name(typed):
    result = typed("drill", "brows")
    assert "did you mean 'browse'?" in result.stdout
    assert result.exit_code != 0


@pytest.mark.parametrize(
    ("written", "seconds"), [(None, None), ("10s", 10), ("500ms", 0.5), ("2m", 120), ("7", 7), ("0.5", 0.5)]
)
def test_a_delay_is_written_with_its_unit_and_a_bare_number_means_seconds(written, seconds):
    assert drill.seconds_of(written) == seconds


@pytest.mark.parametrize(("written", "why"), [("soon", "is not a duration"), ("50ms", "100ms and"), ("3m", "and 2m")])
def test_a_delay_that_is_none_is_one_clear_line(typed, written, why):
    assert why in typed("drill", "browse", "--delay", written).stdout
