"""Alertmanager: the configuration is valid and safe as shipped, and routes and silences are those of the tables."""

from __future__ import annotations

import datetime as dt
import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.rules.rulebook import ROOT
from tests.servers import PATIENCE, Server, alertmanager, amtool

SHIPPED = ROOT / "config" / "alertmanager" / "alertmanager.yml"
PAGE = {"severity": "critical", "category": "symptom", "team": "payments"}
CHECK = {"journey": "checkout", "target": "shop", "profile": "desktop", "team": "payments"}
ROUTES = [
    (PAGE, ["payments-pager"]),
    ({**PAGE, "team": "identity"}, ["identity-pager"]),
    ({**PAGE, "severity": "warning"}, ["payments-tickets"]),
    ({**PAGE, "severity": "warning", "category": "performance"}, ["payments-tickets"]),
    ({**PAGE, "team": "unheard-of"}, ["operations"]),
    ({"severity": "critical", "category": "symptom"}, ["operations"]),
    (
        {"severity": "critical", "category": "cause", "cause": "third_party", "team": "payments"},
        ["vendor-management-pager", "payments-chat"],
    ),
    (
        {"severity": "warning", "category": "cause", "cause": "third_party", "team": "payments"},
        ["vendor-management-tickets", "payments-chat"],
    ),
    ({"severity": "warning", "category": "cause", "cause": "third_party"}, ["vendor-management-tickets", "nobody"]),
    (
        {"severity": "warning", "category": "cause", "cause": "client_environment", "team": "payments"},
        ["operations", "payments-chat"],
    ),
    ({"severity": "warning", "category": "cause", "cause": "client_environment"}, ["operations", "nobody"]),
    ({"severity": "warning", "category": "cause", "host": "www.example.com"}, ["operations"]),
    ({"severity": "critical", "category": "monitoring", "team": "payments"}, ["monitoring-pager"]),
    ({"severity": "warning", "category": "monitoring"}, ["monitoring-tickets"]),
    ({"severity": "info", "category": "monitoring"}, ["monitoring-tickets"]),
    ({"alertname": "Watchdog", "severity": "none", "category": "monitoring"}, ["dead-mans-switch"]),
]


def shipped() -> dict[str, Any]:
    return yaml.safe_load(SHIPPED.read_text())


def test_amtool_accepts_the_shipped_configuration():
    assert "SUCCESS" in amtool("check-config", SHIPPED)


def test_as_shipped_nothing_leaves_the_machine():
    assert all(set(receiver) == {"name"} for receiver in shipped()["receivers"])


@pytest.mark.parametrize(("labels", "receivers"), ROUTES, ids=lambda value: "-".join(value) if value else "")
def test_an_alert_goes_where_it_belongs(labels, receivers):
    pairs = [f"{name}={value}" for name, value in labels.items()]
    said = amtool("config", "routes", "test", f"--config.file={SHIPPED}", *pairs).splitlines()
    assert [line for line in said if line and not line.startswith("Warning")] == [",".join(receivers)]


def test_every_team_of_the_shipped_checks_has_its_routes():
    checks = yaml.safe_load((ROOT / "config" / "monitor.yaml").read_text())["checks"]
    names = {receiver["name"] for receiver in shipped()["receivers"]}
    for team in {check["team"] for check in checks}:
        assert {f"{team}-pager", f"{team}-chat", f"{team}-tickets"} <= names


def test_no_third_party_pages_the_team_that_owns_the_journey():
    for labels, receivers in ROUTES:
        if labels.get("category") == "cause":
            assert "payments-pager" not in receivers


def test_tickets_wait_for_office_hours_and_pages_do_not():
    def routes(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield route
        for each in route.get("routes", ()):
            yield from routes(each)

    for route in routes(shipped()["route"]):
        if route.get("active_time_intervals"):
            assert route["receiver"].endswith("-tickets")
        if route.get("receiver", "").endswith("-pager"):
            assert "active_time_intervals" not in route


def test_all_that_pages_about_one_check_is_one_notification():
    teams = [route for route in shipped()["route"]["routes"] if "routes" in route]
    pagers = [each for team in teams for each in team["routes"] if each["receiver"].endswith("-pager")]
    assert len(pagers) == len(teams)
    assert all(each["group_by"] == ["team", "journey", "target", "profile"] for each in pagers)


# Against a running Alertmanager.


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), SHIPPED) as server:
        yield server


def told(server: Server, *alerts: dict[str, str]) -> dict[str, str]:
    """Tell of alerts and return the state of each by its name."""
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    for alert in alerts:
        body = json.dumps([{"labels": alert, "endsAt": ends}]).encode()
        request = urllib.request.Request(
            f"{server.url}/api/v2/alerts", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
    with urllib.request.urlopen(f"{server.url}/api/v2/alerts", timeout=10) as answer:
        known = json.load(answer)
    wanted = {frozenset(alert.items()): alert["alertname"] for alert in alerts}
    found = {frozenset(each["labels"].items()): bool(each["status"]["inhibitedBy"]) for each in known}
    return {name: "silenced" if found[labels] else "told" for labels, name in wanted.items()}


def alert(name: str, severity: str, category: str, **labels: str) -> dict[str, str]:
    return {"alertname": name, "severity": severity, "category": category, **labels}


@pytest.mark.parametrize(
    ("source", "target", "other"),
    [
        (
            alert("FaultlineLocationDown", "critical", "monitoring", location="tokyo"),
            alert("FaultlineJourneyFailingAtLocation", "warning", "symptom", scope="location", location="tokyo"),
            alert("FaultlineJourneyFailingAtLocation", "warning", "symptom", scope="location", location="paris"),
        ),
        (
            alert("FaultlineLocationEnvironmentDegraded", "warning", "cause", location="rome"),
            alert("FaultlineJourneyFailingAtLocation", "warning", "symptom", scope="location", location="rome"),
            alert("FaultlineJourneyFailingAtLocation", "warning", "symptom", scope="location", location="bern"),
        ),
        (
            alert("FaultlineErrorBudgetBurnFast", "critical", "symptom", **CHECK),
            alert("FaultlineJourneySlow", "warning", "performance", **CHECK),
            alert("FaultlineJourneySlow", "warning", "performance", **{**CHECK, "profile": "phone"}),
        ),
        (
            alert("FaultlineErrorBudgetBurnFast", "critical", "symptom", **CHECK),
            alert("FaultlineErrorBudgetBurnMedium", "critical", "symptom", **CHECK),
            alert("FaultlineJourneyFailing", "critical", "symptom", **CHECK),
        ),
        (
            alert("FaultlineThirdPartyBurnFast", "critical", "cause", cause="third_party", **CHECK),
            alert("FaultlineThirdPartyBurnSlow", "warning", "cause", cause="third_party", **CHECK),
            alert("FaultlineClientEnvironmentBurn", "warning", "cause", cause="client_environment", **CHECK),
        ),
        (
            alert("FaultlineStoreNotWritable", "critical", "monitoring", job="faultline", instance="one"),
            alert("FaultlineMonitorUnhealthy", "critical", "monitoring", job="faultline", instance="one"),
            alert("FaultlineMonitorUnhealthy", "critical", "monitoring", job="faultline", instance="two"),
        ),
    ],
    ids=["location down", "location sick", "page over slow", "fast over medium", "vendor", "store"],
)
def test_what_explains_an_alert_silences_it_and_nothing_else(running, source, target, other):
    # Alertmanager takes an alert in before it has learned what the alert silences.
    end = time.monotonic() + PATIENCE
    while (state := told(running, source, target)[target["alertname"]]) != "silenced" and time.monotonic() < end:
        time.sleep(0.1)
    assert (state, told(running, source, other)[other["alertname"]]) == ("silenced", "told")
