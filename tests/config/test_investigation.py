from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from monitor.config.settings import InvestigationSettings, OtherVantage, Settings
from monitor.domain.ownership import Origin
from monitor.domain.profile import Proxy
from monitor.domain.secret import Secret

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]

SOUND = """\
location: office
profiles: {phone: {device: Pixel 7}}
targets:
  shop: {base_url: "https://www.example.com"}
checks:
  - {journey: home, target: shop, every: 5m}
"""


def with_section(text: str) -> str:
    return f"{SOUND}investigation:\n  {text}\n"


def test_what_is_not_said_is_as_the_documentation_says(loaded: Load):
    assert loaded(SOUND).investigation == InvestigationSettings()
    assert loaded(with_section("enabled: false")).investigation == InvestigationSettings(enabled=False)


def test_everything_can_be_said(loaded: Load):
    text = with_section(
        """journeys: 0
  requests: 200
  time_limit: 5m
  resolvers: [192.0.2.53, "[2001:db8::53]:5353"]
  vantages:
    new-york: http://proxy.nyc.example.com:3128
    tokyo: {proxy: "http://192.0.2.7:8080", username: me, password: "${WORD}"}
  reference_profile: phone
  keep_answers: 3d"""
    )
    settings = loaded(text, {"WORD": "opensesame"})
    secret = Secret("proxy password of tokyo", "opensesame")
    assert settings.investigation == InvestigationSettings(
        journeys=0,
        requests=200,
        time_limit=dt.timedelta(minutes=5),
        resolvers=("192.0.2.53", "[2001:db8::53]:5353"),
        vantages=(
            OtherVantage(name="new-york", proxy=Proxy(url="http://proxy.nyc.example.com:3128")),
            OtherVantage(name="tokyo", proxy=Proxy(url="http://192.0.2.7:8080", username="me", password=secret)),
        ),
        reference_profile="phone",
        keep_answers=dt.timedelta(days=3),
    )
    assert "opensesame" in {each.reveal() for each in settings.secrets}
    assert [profile.name for profile in settings.profiles] == ["desktop", "phone"]


CASES = {
    "too many journeys": ("journeys: 11", "8:13: investigation.journeys: must be at most 10"),
    "fewer requests than none": ("requests: -1", "8:13: investigation.requests: must be at least 0"),
    "no time": (
        "time_limit: 4s",
        "8:15: investigation.time_limit: 4s is no time for an investigation; write a time from 5s to 5m",
    ),
    "a resolver by name": (
        "resolvers: [dns.example.com]",
        (
            "8:15: investigation.resolvers[0]: 'dns.example.com' is not the address of a resolver; "
            "write 192.0.2.53 or 192.0.2.53:5353"
        ),
    ),
    "a resolver twice": (
        "resolvers: [192.0.2.53, '192.0.2.53:53']",
        "8:27: investigation.resolvers[1]: '192.0.2.53:53' is named twice; keep one",
    ),
    "a vantage of another kind": (
        "vantages: {far: 'socks5://proxy:1080'}",
        (
            "8:19: investigation.vantages.far: 'socks5://proxy:1080': single requests go through http:// proxies "
            "only; write http://proxy.example.com:3128"
        ),
    ),
    "half credentials": (
        "vantages: {far: {proxy: 'http://proxy:1080', username: me}}",
        "8:19: investigation.vantages.far: needs both 'username' and 'password', or neither",
    ),
    "a password that is not there": (
        "vantages: {far: {proxy: 'http://proxy:1080', username: me, password: '${GONE}'}}",
        "8:72: investigation.vantages.far.password: the environment variable GONE is not set",
    ),
    "a password in the file": (
        "vantages: {far: {proxy: 'http://proxy:1080', username: me, password: opensesame}}",
        "8:72: investigation.vantages.far.password:",
    ),
    "no such profile": (
        "reference_profile: phnoe",
        "8:22: investigation.reference_profile: no profile is called 'phnoe'; did you mean 'phone'?",
    ),
    "a word of others": ("nameservers: []", "8:3: investigation.nameservers: unknown key; did you mean 'resolvers'?"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_with_its_place_and_remedy(name: str, problems_of: Problems):
    text, expected = CASES[name]
    (problem,) = problems_of(with_section(text))
    assert problem.startswith(f"monitor.yaml:{expected}")
    assert "opensesame" not in problem


def test_a_section_of_another_name_is_guessed(problems_of: Problems):
    (problem,) = problems_of(SOUND + "experiments: {}\n")
    assert problem.endswith("unknown key; did you mean 'investigation'?")


def test_origins_are_of_own_hosts_and_of_the_targets(loaded: Load):
    ownership = """\
domains: [example.org]
hosts: {"*.shop.test": web}
hosted: [{host: help.test, vendor: Desk}]
vendors: {Desk: {hosts: [desk.test]}}
origins:
  cdn.example.org: 192.0.2.10
  a.shop.test: 192.0.2.11:8443
  help.test: "[2001:db8::1]:443"
  www.example.com: 192.0.2.12
"""
    assert loaded(SOUND, ownership=ownership).ownership.origins == (
        Origin(host="cdn.example.org", address="192.0.2.10"),
        Origin(host="a.shop.test", address="192.0.2.11:8443"),
        Origin(host="help.test", address="[2001:db8::1]:443"),
        Origin(host="www.example.com", address="192.0.2.12"),
    )
