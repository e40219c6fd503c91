"""Rules: they pass promtool with all its lints, their cases hold, and every name in them exists."""

from __future__ import annotations

import json
import re

import pytest

from monitor.publishing.catalogue import FAMILIES
from monitor.publishing.series import Kind
from tests.rules.rulebook import CASES, ROOT, RULES, RUNBOOKS, alerts, cases, grouping, rules, selectors
from tests.servers import promtool

HEADINGS = [
    "What it means",
    "What customers feel",
    "First look",
    "Likely causes",
    "What to do",
    "When it is a false alarm",
]
SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.SUMMARY: ("_sum", "_count")}
EXPOSED = {
    family.name + suffix: {*family.labels, *(("le",) if suffix == "_bucket" else ())}
    for family in FAMILIES
    for suffix in SUFFIXES.get(family.kind, ("",))
}
CHECK = {"journey", "target", "profile"}
LEVELS = {
    "check": CHECK | {"team", "service", "tier", "business_process", "third_party"},
    "check_cause": CHECK | {"cause"},
    "check_culprit": CHECK | {"cause", "kind", "culprit"},
    "check_location": CHECK | {"location"},
    "location": {"location"},
    "third_party": {"third_party"},
    "third_party_journey": {"third_party", "journey"},
}
OF_TARGETS = {"job", "instance"}


def labels_of(recorded: str) -> set[str]:
    """Return the labels that the name of a recorded series promises; a sampled one has those of its metric."""
    level, _, rest = recorded.partition(":")
    return EXPOSED[rest] | OF_TARGETS if level == "sampled" else LEVELS[level]


RECORDED = {rule.name: labels_of(rule.name) for rule in rules() if not rule.alerting}
# What Prometheus itself writes down of each alert.
OF_ALERTS = {"alertname", "alertstate", "severity", "category", "scope", *RECORDED["check:faultline_journey_info:max"]}
KNOWN = {
    "up": OF_TARGETS,
    "ALERTS": OF_ALERTS,
    **{name: labels | OF_TARGETS for name, labels in EXPOSED.items()},
    **RECORDED,
}
WINDOWS = {
    "check:faultline_run_failures_per_runs:ratio_rate": ("1h", "6h", "1d", "3d", "30d"),
    "check_cause:faultline_run_failures_per_runs:ratio_rate": ("1h", "1d", "30d"),
    "check:faultline_coverage:ratio_rate": ("1h", "1d", "30d"),
    "check:faultline_experience_score:apdex": ("1h", "1d"),
    "check_cause:faultline_impact_seconds:increase": ("1h", "1d", "30d"),
    "check:faultline_error_budget_remaining:ratio": ("30d",),
    "check_cause:faultline_error_budget_spent:ratio": ("30d",),
    "check:faultline_burn_rate:ratio": ("1h", "6h", "1d", "3d"),
    "third_party:faultline_failures_per_requests:ratio_rate": ("1h", "1d", "30d"),
}


def test_promtool_finds_nothing_to_say_about_the_rules():
    said = promtool("check", "rules", "--lint=all", "--lint-fatal", *sorted(RULES.glob("*.yml")))
    assert said.count("SUCCESS") == len(list(RULES.glob("*.yml")))


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(CASES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_case_holds(path):
    assert "SUCCESS" in promtool("test", "rules", path, timeout=600)


def test_prometheus_reads_the_shipped_configuration(tmp_path):
    password = tmp_path / "password"
    password.write_text("x")
    text = (ROOT / "config" / "prometheus" / "prometheus.yml").read_text()
    shipped = RULES.parent / "prometheus.yml"
    copy = tmp_path / shipped.name
    copy.write_text(text.replace("/run/secrets/web-password", str(password)).replace("rules/*.yml", f"{RULES}/*.yml"))
    assert f"{len(list(RULES.glob('*.yml')))} rule files found" in promtool("check", "config", copy)


# Every alert has a case in which it fires, and one in which it does not.


def fired() -> set[tuple[str, str]]:
    found = set()
    for case in cases():
        for test in case.get("alert_rule_test", ()):
            for alert in test.get("exp_alerts", ()):
                found.add((test["alertname"], alert["exp_labels"]["severity"]))
        for test in case.get("promql_expr_test", ()):
            for sample in test.get("exp_samples", ()) if 'alertstate="firing"' in test["expr"] else ():
                labels = dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
                if "alertname" in labels and "severity" in labels:
                    found.add((labels["alertname"], labels["severity"]))
    return found


def test_every_alert_has_a_case_in_which_it_fires():
    severities = {(rule.name, severity) for rule in alerts() for severity in severities_of(rule.labels["severity"])}
    assert severities - fired() == set()


def severities_of(label: str) -> list[str]:
    return re.findall(r"}}(\w+){{", label) or [label]


def test_every_alert_but_the_watchdog_has_a_case_in_which_it_is_silent():
    silent = {
        test["alertname"] for case in cases() for test in case.get("alert_rule_test", ()) if not test.get("exp_alerts")
    } | {"Watchdog"}
    assert {rule.name for rule in alerts()} - silent == set()


def test_cases_speak_of_alerts_that_exist():
    named = {test["alertname"] for case in cases() for test in case.get("alert_rule_test", ())}
    assert named | {name for name, _ in fired()} == {rule.name for rule in alerts()}


# Names.


def test_all_recorded_series_that_dashboards_build_upon_are_there():
    wanted = {name + window for name, windows in WINDOWS.items() for window in windows}
    assert wanted - set(RECORDED) == set()


def test_every_metric_exists_and_has_the_labels_it_is_asked_for():
    for rule in rules():
        for expr in rule.asked():
            for selector in selectors(expr):
                assert selector.name in KNOWN, f"{rule.name} asks for {selector.name}"
                matched = {matcher.name for matcher in selector.matchers.matchers}
                assert matched <= KNOWN[selector.name], f"{rule.name}: {selector.name} has no {matched}"


def test_every_label_that_is_grouped_or_joined_by_exists():
    labels = set().union(*KNOWN.values())
    for rule in rules():
        for expr in rule.asked():
            assert set(grouping(expr)) <= labels, rule.name


def test_no_recorded_series_gets_a_label_for_its_window():
    assert {rule.name for rule in rules() if not rule.alerting and rule.labels} == set()


def test_a_recorded_series_is_asked_for_only_after_it_was_recorded_or_in_another_group():
    places = {rule.name: (rule.group, position) for position, rule in enumerate(rules()) if not rule.alerting}
    for position, rule in enumerate(rules()):
        for selector in selectors(rule.expr):
            group, recorded_at = places.get(selector.name, ("", 0))
            assert group != rule.group or recorded_at < position, f"{rule.name} asks for {selector.name} too early"


# Labels and annotations.


def test_every_alert_says_how_urgent_it_is_and_of_what_sort():
    for rule in alerts():
        assert set(severities_of(rule.labels["severity"])) <= {"critical", "warning", "info", "none"}, rule.name
        assert rule.labels["category"] in {"symptom", "performance", "cause", "monitoring"}, rule.name


def test_the_cause_is_part_of_no_symptom():
    for rule in alerts():
        if rule.labels["category"] in {"symptom", "performance"}:
            assert "cause" not in rule.labels, rule.name
            assert "sum without (cause)" in rule.expr or "check_cause" not in rule.expr, rule.name


def test_every_alert_has_a_sentence_a_description_and_a_runbook():
    for rule in alerts():
        assert rule.annotations["summary"].endswith("."), rule.name
        assert rule.annotations["description"], rule.name
        assert rule.annotations["runbook_url"] == f"docs/runbooks/{rule.name}.md"


def test_every_link_to_a_dashboard_leads_to_one_with_these_variables():
    boards = [json.loads(path.read_text()) for path in (ROOT / "grafana" / "dashboards").rglob("*.json")]
    variables = {board["uid"]: {each["name"] for each in board["templating"]["list"]} for board in boards}
    for rule in alerts():
        link = rule.annotations.get("dashboard_url", "/d/faultline-journey")
        uid, _, query = link.removeprefix("/d/").partition("?")
        assert set(re.findall(r"var-(\w+)=", query)) <= variables[uid], rule.name


def test_every_alert_has_a_runbook_page_and_every_page_an_alert():
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {rule.name for rule in alerts()}


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_every_runbook_page_has_all_its_parts(path):
    first, *parts = re.split(r"(?m)^#+ ", path.read_text())[1:]
    assert first.strip() == path.stem
    assert [part.partition("\n")[0] for part in parts] == HEADINGS
    assert all(part.partition("\n")[2].strip() for part in parts)
    for link in re.findall(r"\]\(([^)#]+)", path.read_text()):
        assert (path.parent / link).is_file(), link
