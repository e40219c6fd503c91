from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config.loading import ConfigurationError, load
from monitor.config.settings import Settings
from monitor.domain.check import Schedule
from monitor.domain.profile import Engine, HostOverride

Load = Callable[..., Settings]

SMALLEST = """\
location: office
targets:
  shop:
    base_url: https://www.example.com
checks:
  - journey: home
    target: shop
    every: 5m
"""


def test_eight_lines_are_a_configuration(loaded: Load, tmp_path: Path):
    settings = loaded(SMALLEST)
    (check,) = settings.checks
    assert check.name == "home@shop/desktop"
    assert check.schedule == Schedule(interval=dt.timedelta(minutes=5))
    assert check.deadline == dt.timedelta(seconds=60)
    assert check.attempts == 2
    assert check.profile.engine is Engine.CHROMIUM
    assert settings.journeys == tmp_path / "../checks"
    assert settings.storage.directory == tmp_path / "../data"
    assert settings.web.url == "http://127.0.0.1:9488"
    assert settings.refused == ()


def test_one_entry_with_several_profiles_makes_a_check_for_each(loaded: Load):
    text = (
        SMALLEST.replace("    every: 5m\n", "    profile: [desktop, phone]\n")
        + "profiles:\n  phone: {device: Pixel 7}\n"
    )
    assert [check.name for check in loaded(text).checks] == ["home@shop/desktop", "home@shop/phone"]


def test_a_check_takes_from_the_defaults_what_it_does_not_say(loaded: Load):
    text = SMALLEST.replace("    every: 5m\n", "    tier: 1\n")
    text += "defaults: {cron: '*/10 * * * *', timezone: Europe/Berlin, deadline: 2m, attempts: 3, team: web, tier: 3}\n"
    (check,) = loaded(text).checks
    assert check.schedule == Schedule(cron="*/10 * * * *", timezone="Europe/Berlin")
    assert (check.deadline, check.attempts, check.team, check.tier) == (dt.timedelta(minutes=2), 3, "web", 1)


def test_a_short_interval_shortens_a_deadline_that_nobody_chose(loaded: Load):
    (check,) = loaded(SMALLEST.replace("5m", "10s")).checks
    assert check.deadline == dt.timedelta(seconds=10)


def test_profiles_and_targets_become_values_of_the_vocabulary(loaded: Load):
    text = SMALLEST + (
        "    profile: phone\n"
        "profiles:\n"
        "  phone:\n"
        "    engine: firefox\n"
        "    viewport: 390x844\n"
        "    network: {preset: 3g, latency: 500ms}\n"
        "    hosts: {'www.example.com:443': 192.0.2.1, api.example.com: '2001:db8::1'}\n"
        "    resolver: 192.0.2.53:5353\n"
    )
    (check,) = loaded(text).checks
    assert check.profile.network is not None
    assert check.profile.network.name == "custom"
    assert check.profile.network.latency == dt.timedelta(milliseconds=500)
    assert check.profile.network.download_bits_per_second == 1_600_000
    assert check.profile.hosts == (
        HostOverride(host="www.example.com", port=443, address="192.0.2.1"),
        HostOverride(host="api.example.com", address="2001:db8::1"),
    )


def test_plain_places_may_come_from_the_environment(loaded: Load):
    text = SMALLEST.replace("office", "${PLACE}").replace("https://www.example.com", "https://${HOST}:8443")
    settings = loaded(text, {"PLACE": "fra-1", "HOST": "www.example.org"})
    assert settings.location == "fra-1"
    assert settings.checks[0].target.base_url == "https://www.example.org:8443"


def test_a_maintenance_window_names_the_checks_that_its_patterns_cover(loaded: Load):
    text = SMALLEST + (
        "  - {journey: pay, target: shop}\n"
        "maintenance:\n"
        "  - {name: Move, start: 2026-12-01T02:00:00+01:00, end: 2026-12-01T03:00:00+01:00, checks: ['pay@*']}\n"
        "  - {name: Nightly, cron: 0 3 * * 1-5, timezone: Europe/Berlin, duration: 30m}\n"
    )
    once, nightly = loaded(text).maintenance
    assert once.checks == ("pay@shop/desktop",)
    assert once.start == dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    assert nightly.cron == Schedule(cron="0 3 * * mon,tue,wed,thu,fri", timezone="Europe/Berlin")
    assert nightly.checks == ()


def test_every_check_knows_its_place(loaded: Load):
    place = loaded(SMALLEST).places["home@shop/desktop"]
    assert (place.line, place.column, place.path) == (6, 5, "checks[0]")


def test_a_broken_file_at_a_reload_is_an_error_with_its_place_and_leaves_the_old_settings_alone(loaded: Load):
    before = loaded(SMALLEST)
    with pytest.raises(ConfigurationError) as raised:
        loaded(SMALLEST + "  - journey: [\n")
    assert raised.value.problems[0].line == 10
    assert loaded(SMALLEST) == before


def test_a_file_that_is_not_there_is_a_problem_like_any_other(tmp_path: Path):
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path / "monitor.yaml", {})
    assert str(raised.value).endswith("monitor.yaml:1:1: cannot be read: No such file or directory")


@pytest.mark.slow
def test_ten_thousand_checks_load_within_seconds(loaded: Load):
    entry = "  - {{journey: journey-{0}, target: shop, every: 5m, values: {{page: p{0}}}, team: web, tier: 1}}\n"
    text = SMALLEST + "".join(entry.format(number) for number in range(10_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    settings = loaded(text)
    # Two seconds of work where nobody else uses the machine, and many times that if each check were held against all.
    assert time.process_time() - started < 10
    assert len(settings.checks) == 10_001
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
