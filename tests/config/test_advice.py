from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from monitor.config.advice import advice
from monitor.config.loading import load
from monitor.config.receivers import NotificationSettings, WebhookReceiver
from monitor.config.settings import InvestigationSettings, Settings, StorageSettings, WebSettings
from monitor.domain.check import Check, Schedule
from monitor.domain.ownership import Ownership
from tests.builders import a_check, a_target

THREE = ("https://www.example.net/", "https://one.test/", "https://192.0.2.1/")


def settings_with(*controls: str, checks: tuple[Check, ...] | None = None, **values: object) -> Settings:
    return Settings(
        path=Path("monitor.yaml"),
        location="here",
        journeys=Path("checks"),
        checks=checks or (a_check(target=a_target(base_url="https://www.shop.example")),),
        storage=StorageSettings(directory=Path("data")),
        ownership=Ownership(domains=("own.test",), controls=controls),
        **values,
    )


def test_three_controls_of_three_operators_need_no_advice():
    assert advice(settings_with(*THREE)) == ()


@pytest.mark.parametrize(("count", "words"), [(0, "no controls"), (1, "1 control:"), (2, "2 controls:")])
def test_fewer_than_three_controls_are_few(count: int, words: str):
    (said,) = advice(settings_with(*THREE[:count]))
    assert words in said
    assert "name 3 sites" in said


def test_controls_of_one_registrable_domain_are_one():
    (said,) = advice(settings_with("https://a.shop.co.uk", "https://b.shop.co.uk", "https://c.other.co.uk"))
    assert said.startswith("controls that share an operator fail together: a.shop.co.uk and b.shop.co.uk, all of")


@pytest.mark.parametrize("own", ["https://status.own.test/", "https://cdn.shop.example/"])
def test_an_own_host_is_no_control(own: str):
    (said,) = advice(settings_with(*THREE, own))
    assert "is an own host" in said


def test_whoever_wants_no_investigation_is_not_asked_for_controls():
    assert advice(settings_with(investigation=InvestigationSettings(enabled=False))) == ()


@pytest.mark.parametrize(
    ("minutes", "objective", "remedy"), [(5, 0.995, "every 259 s"), (1, 0.999, "every 52 s"), (60, 0.99, "every 518 s")]
)
def test_a_check_so_rare_that_one_failed_run_would_page_is_named(minutes: int, objective: float, remedy: str):
    rare = a_check(schedule=Schedule(interval=dt.timedelta(minutes=minutes)), objective=objective)
    (said,) = advice(settings_with(*THREE, checks=(rare,)))
    assert said.startswith(f"check {rare.name}: at this interval one failed run alone burns the error budget")
    assert remedy in said


@pytest.mark.parametrize(
    "schedule",
    [Schedule(interval=dt.timedelta(minutes=4)), Schedule(cron="0 6 * * *")],
    ids=["often", "crontab"],
)
def test_a_check_that_runs_often_enough_or_by_a_crontab_is_not(schedule: Schedule):
    assert advice(settings_with(*THREE, checks=(a_check(schedule=schedule, objective=0.995),))) == ()


def test_a_check_that_is_off_is_not():
    off = a_check(schedule=Schedule(interval=dt.timedelta(hours=1)), enabled=False)
    assert advice(settings_with(*THREE, checks=(off,))) == ()


def test_pages_for_others_without_an_address_leave_alerts_without_a_link():
    (said,) = advice(settings_with(*THREE, web=WebSettings(host="0.0.0.0")))
    assert said.startswith("alerts will have no link to the failed run (run_url): set web.external_url")
    reachable = WebSettings(host="0.0.0.0", external_url="https://faultline.example.org")
    assert advice(settings_with(*THREE, web=reachable)) == ()


def told(*receivers: WebhookReceiver) -> dict[str, object]:
    """Return the settings of a monitor that tells these receivers, with links that lead somewhere."""
    web = WebSettings(external_url="https://faultline.example.org")
    return {"web": web, "notifications": NotificationSettings(receivers=receivers)}


def test_a_check_of_which_no_receiver_would_be_told_is_named_by_its_team():
    hook = WebhookReceiver(name="pay", url="https://chat.example.org/", teams=("payments",))
    checks = (a_check(name="a", team="payments"), a_check(name="b", team="web"), a_check(name="c", team=None))
    (said,) = advice(settings_with(*THREE, checks=checks, **told(hook)))
    assert said.startswith("no receiver is told of 2 checks (of no team, web): add the team to a receiver")
    everything = WebhookReceiver(name="all", url="https://chat.example.org/")
    assert advice(settings_with(*THREE, checks=checks, **told(hook, everything))) == ()


def test_a_receiver_of_a_team_without_checks_is_never_told():
    idle = WebhookReceiver(name="idle", url="https://chat.example.org/", teams=("nobody",))
    rest = WebhookReceiver(name="rest", url="https://chat.example.org/")
    (said,) = advice(settings_with(*THREE, **told(idle, rest)))
    assert said.startswith("receiver idle is never told: no check belongs to nobody")


def test_a_value_without_customers_counts_for_nothing():
    worth = a_check(name="a", value_per_customer=48)
    (said,) = advice(settings_with(*THREE, checks=(worth, a_check(name="b", value_per_customer=1))))
    assert said.startswith("check a and 1 more: value_per_customer counts for nothing without customers_per_hour")
    counted = a_check(value_per_customer=48, customers_per_hour=120)
    assert advice(settings_with(*THREE, checks=(counted,))) == ()


def test_the_shipped_configuration_follows_our_own_advice():
    assert advice(load(Path("config/monitor.yaml"), {})) == ()
