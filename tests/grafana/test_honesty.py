"""What dashboards must not do: call nothing fine, show availability alone, round up, or rely on color."""

from __future__ import annotations

import itertools
import re

import pytest

from grafana.preview.charts import ink_on
from grafana.src import palette, promql
from tests.grafana.reading import dashboards, expressions, panels

COMMITTED = dashboards()
PANELS = [(uid, panel) for uid, dashboard in COMMITTED.items() for panel in panels(dashboard)]
CODED = [(uid, panel) for uid, panel in PANELS if panel["fieldConfig"]["defaults"].get("mappings")]
GOOD = {palette.OK.color}


def mappings(panel):
    config = panel["fieldConfig"]
    yield from config["defaults"].get("mappings", ())
    for override in config["overrides"]:
        for each in override["properties"]:
            if each["id"] == "mappings":
                yield from each["value"]


def results(mapping):
    return mapping["options"].values() if mapping["type"] == "value" else [mapping["options"]["result"]]


def test_every_color_of_a_state_carries_a_word():
    for uid, panel in CODED:
        for mapping in mappings(panel):
            for result in results(mapping):
                assert result.get("text") or named_by_its_word(panel, result["color"]), (uid, panel["title"])


def named_by_its_word(panel, color):
    """Whether a tile writes beside the number the word that its color stands for."""
    marks = [*palette.STATES.values(), palette.CRITICAL, palette.WARNINGS, palette.OVERSPENT, palette.AT_RISK]
    legends = [target["legendFormat"].lower() for target in panel["targets"]]
    words = {mark.word.lower() for mark in marks if mark.color == color}
    told = panel["type"] == "stat" and panel["options"]["textMode"] == "value_and_name"
    return told and any(legend in word for word in words for legend in legends)


def test_no_color_comes_from_a_threshold():
    for uid, panel in PANELS:
        assert "thresholds" not in panel["fieldConfig"]["defaults"], (uid, panel["title"])
        assert panel["fieldConfig"]["defaults"].get("color", {}).get("mode") in {
            None,
            "fixed",
            "palette-classic",
        }, (uid, panel["title"])


def test_no_data_is_never_green_and_says_so():
    for uid, panel in CODED:
        unknown = [mapping for mapping in panel["fieldConfig"]["defaults"]["mappings"] if mapping["type"] == "special"]
        assert [mapping["options"]["match"] for mapping in unknown] == ["null+nan"], (uid, panel["title"])
        for mapping in unknown:
            assert mapping["options"]["result"]["text"] == panel["fieldConfig"]["defaults"]["noValue"]
            assert mapping["options"]["result"]["color"] not in GOOD
    assert {3: palette.STATES[3].word, 0: palette.STATES.get(0)} == {3: "no data", 0: None}


def test_tiles_of_unknown_states_are_not_green():
    for uid, panel in PANELS:
        if panel["type"] == "stat" and panel["options"]["colorMode"] == "background_solid":
            assert panel["fieldConfig"]["defaults"]["color"]["fixedColor"] not in GOOD, (uid, panel["title"])


def test_the_causes_have_the_same_names_and_colors_everywhere():
    wanted = {name: {"displayName": mark.word, "color": mark.color} for name, mark in palette.CAUSES.items()}
    seen = set()
    for uid, panel in PANELS:
        named = {}
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"].get("options") in wanted:
                values = {each["id"]: each["value"] for each in override["properties"]}
                named[override["matcher"]["options"]] = {
                    "displayName": values["displayName"],
                    "color": values["color"]["fixedColor"],
                }
        legends = {target.get("legendFormat") for target in panel.get("targets", ())}
        if "{{cause}}" in legends:
            assert named == wanted, (uid, panel["title"])
            seen.add(uid)
    assert len(seen) >= 5


@pytest.mark.parametrize(
    "marks", [palette.CAUSES, palette.STATES, palette.RATINGS, palette.VENDOR_STATES, palette.YES_NO]
)
@pytest.mark.parametrize("vision", ["NORMAL", "PROTANOPIA", "DEUTERANOPIA", "TRITANOPIA"])
def test_colors_that_stand_together_stay_apart_for_every_kind_of_color_vision(marks, vision):
    for one, other in itertools.combinations(marks.values(), 2):
        assert distance(seen_as(one.color, VISIONS[vision]), seen_as(other.color, VISIONS[vision])) > 20, (one, other)


MARKS = [palette.CAUSES, palette.STATES, palette.OUTCOMES, palette.RATINGS, palette.VENDOR_STATES, palette.YES_NO]


@pytest.mark.parametrize("marks", MARKS)
def test_what_grafana_writes_on_a_color_can_be_read_as_wcag_asks_of_large_words(marks):
    for mark in marks.values():
        assert contrast(mark.color, ink_on(mark.color)) >= 3, mark


def test_what_grafana_writes_on_the_color_of_a_cause_can_be_read_in_a_table():
    for mark in palette.CAUSES.values():
        assert contrast(mark.color, ink_on(mark.color)) >= 4.5, mark


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


# Viénot, Brettel and Mollon 1999, and Brettel for the third, on linear light.
VISIONS = {
    "NORMAL": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "PROTANOPIA": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "DEUTERANOPIA": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    "TRITANOPIA": ((1.01277, 0.13548, -0.14826), (-0.01243, 0.86812, 0.14431), (0.07589, 0.80500, 0.11911)),
}


def seen_as(color, matrix):
    linear = [(int(color[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5)]
    return [max(0.0, sum(row[at] * linear[at] for at in range(3))) for row in matrix]


def distance(one, other):
    """Return the distance of two colors in CIELAB, in which 2.3 is just noticeable."""
    return sum((a - b) ** 2 for a, b in zip(lab(one), lab(other), strict=True)) ** 0.5


def lab(linear):
    rgb_to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (
        max(sum(row[at] * linear[at] for at in range(3)) / white[place], 1e-9) ** (1 / 3)
        for place, row in enumerate(rgb_to_xyz)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_success_stands_beside_coverage():
    for uid, dashboard in COMMITTED.items():
        asked = [each for each in expressions(dashboard) if "1 - check:faultline_run_failures_per_runs" in each.text]
        shown = [
            each
            for each in expressions(dashboard)
            if each.text.startswith(("(floor((check:faultline_coverage", "floor((check:faultline_coverage"))
        ]
        for window in {re.search(r"ratio_rate(\w+)\{", each.text)[1] for each in asked}:
            assert any(f"coverage:ratio_rate{window}" in each.text for each in shown), uid


def test_success_is_withheld_below_enough_coverage():
    for uid, dashboard in COMMITTED.items():
        for each in expressions(dashboard):
            if "1 - check:faultline_run_failures_per_runs" in each.text:
                assert f">= {promql.ENOUGH_COVERAGE}" in each.text, (uid, each.place)
                assert f"< {promql.ENOUGH_COVERAGE}) * 0 - 1" in each.text, (uid, each.place)


def test_shares_close_to_all_are_rounded_down():
    for uid, dashboard in COMMITTED.items():
        for each in expressions(dashboard):
            if re.search(r"\b1 - ", each.text) and each.instant and "- max by" not in each.text:
                assert "floor(" in each.text, (uid, each.place)


def test_what_is_an_estimate_says_so():
    for uid, panel in PANELS:
        asked = " ".join(target["expr"] for target in panel.get("targets", ()))
        if "impact_seconds" in asked or "interval_seconds:max" in asked:
            about = panel["description"].lower()
            share = "share" in panel["title"].lower()
            table = panel["type"] == "table"
            assert "estimate" in about or share or table or "that failed by its fault" in about, (uid, panel["title"])


def test_money_is_an_estimate_and_says_where_it_is_not_configured():
    asked = [(uid, panel) for uid, panel in PANELS if "value_per_customer" in str(panel.get("targets"))]
    assert asked
    for uid, panel in asked:
        assert "estimate" in panel["title"].lower(), (uid, panel["title"])
        assert panel["fieldConfig"]["defaults"]["noValue"] == "not configured"
