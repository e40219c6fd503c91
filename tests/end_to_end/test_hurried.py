"""That the faster clock changes lengths of time and nothing else, or the end-to-end tests would prove other rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests import servers
from tests.end_to_end.hurried import hurried, hurried_expression, hurried_routes, hurried_rules, milliseconds

CONFIG = Path(__file__).parents[2] / "config"
RULES = sorted((CONFIG / "prometheus" / "rules").glob("*.yml"))
FACTOR = 30
TOP_OF_THE_HOUR, FASTER_TOP = "vector(time() % 3600) < 60", "vector(time() % 120) < 2"
DURATION = re.compile(r"(?<![\w.])(?:\d+(?:ms|[smhdwy]))+(?![\w.])")


@pytest.mark.parametrize(
    ("expression", "faster"),
    [
        ("increase(x[1h])", "increase(x[120000ms])"),
        ("sum_over_time(check:x:increase1h[3d:15m]) / 4", "sum_over_time(check:x:increase1h[8640000ms:30000ms]) / 4"),
        ("x and on () vector(time() % 3600) < 60", "x and on () vector(time() % 120) < 2"),
        ("x unless x offset 15m and up offset 1h30m == 1", "x unless x offset 30000ms and up offset 180000ms == 1"),
        ('x{le=~"5|5.0",name="1h"} > 3600', 'x{le=~"5|5.0",name="1h"} > 3600'),
        ("check:x:ratio_rate1h > on (journey) 14.4 * y", "check:x:ratio_rate1h > on (journey) 14.4 * y"),
    ],
)
def test_windows_steps_and_offsets_are_divided_and_names_and_numbers_stay(expression, faster):
    assert hurried_expression(expression, FACTOR) == faster


def test_a_length_of_time_never_becomes_nothing():
    assert hurried("1s", 5000) == "1ms"
    assert milliseconds("1h30m") == 5_400_000
    with pytest.raises(AssertionError):
        milliseconds("soon")


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_in_the_shipped_rules_only_lengths_of_time_change(path: Path):
    shipped = yaml.safe_load(path.read_text())
    faster = hurried_rules(path.read_text(), FACTOR)
    before, after = yaml.safe_dump(shipped, width=10_000), yaml.safe_dump(faster, width=10_000)
    assert before.count(TOP_OF_THE_HOUR) == after.count(FASTER_TOP)
    after = after.replace(FASTER_TOP, TOP_OF_THE_HOUR)
    assert DURATION.sub("T", before) == DURATION.sub("T", after)
    lengths = list(zip(DURATION.findall(before), DURATION.findall(after), strict=True))
    assert lengths
    assert [(a, b) for a, b in lengths if milliseconds(a) != FACTOR * milliseconds(b)] == []
    again = hurried_rules(yaml.safe_dump(faster), 1 / FACTOR)
    assert _in_milliseconds(again) == _in_milliseconds(shipped)


@pytest.mark.slow
def test_the_faster_rules_and_routes_are_good_for_prometheus_and_alertmanager(tmp_path: Path):
    for path in RULES:
        (tmp_path / path.name).write_text(yaml.safe_dump(hurried_rules(path.read_text(), FACTOR)))
    servers.promtool("check", "rules", *(tmp_path / path.name for path in RULES))
    shipped = (CONFIG / "alertmanager" / "alertmanager.yml").read_text()
    routes = hurried_routes(shipped, FACTOR, tmp_path)
    for receiver in routes["receivers"]:
        (tmp_path / receiver["name"]).write_text("http://127.0.0.1:9/")
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(routes))
    servers.amtool("check-config", tmp_path / "alertmanager.yml")


def test_routes_inhibition_and_time_intervals_stay_and_each_receiver_gets_a_notifier(tmp_path: Path):
    text = (CONFIG / "alertmanager" / "alertmanager.yml").read_text()
    shipped, faster = yaml.safe_load(text), hurried_routes(text, FACTOR, tmp_path)
    before, after = (yaml.safe_dump(each["route"], sort_keys=False) for each in (shipped, faster))
    assert DURATION.sub("T", before) == DURATION.sub("T", after)
    assert faster["route"]["group_interval"] == "10000ms"
    assert {name: part for name, part in faster.items() if name not in {"route", "receivers"}} == {
        name: part for name, part in shipped.items() if name not in {"route", "receivers"}
    }
    assert [receiver["name"] for receiver in faster["receivers"]] == [each["name"] for each in shipped["receivers"]]
    assert all(receiver["webhook_configs"][0]["send_resolved"] for receiver in faster["receivers"])


def _in_milliseconds(rules: dict[str, object]) -> str:
    return DURATION.sub(lambda found: f"{milliseconds(found[0])}ms", yaml.safe_dump(rules, width=10_000))
