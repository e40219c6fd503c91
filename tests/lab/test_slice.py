"""A few labelled faults, end to end: one of each side, and one that must not count. ``make lab`` runs them all."""

from __future__ import annotations

import json

import pytest

from tests.lab.__main__ import run
from tests.lab.manifest import SCENARIOS, read_manifest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scenario", ["O01", "T01", "C05", "N01"])
def test_a_labelled_fault_is_called_by_its_name(scenario):
    manifest = read_manifest(SCENARIOS / f"{scenario}.yaml")
    case = run(manifest, 3, 0, None, warm_up=1)
    said = case.get("said")
    assert case["status"] == "counted", case["reason"]
    expected = case["expected"]
    told = json.dumps({"said": said, "experiments": case["experiments"]}, indent=1)
    assert (said["outcome"], said["detail"]) == (expected["outcome"], expected["detail"]), told
    assert said["culprit"] == expected["culprit"] or not expected["culprit"], told
