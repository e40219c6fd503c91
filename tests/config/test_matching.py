from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.config.matching import check_journeys
from monitor.config.settings import Settings
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, JourneyProblem, ProbeKind

CATALOGUE = JourneyCatalogue(
    journeys=(
        JourneyOutline(name="checkout", title="Buy", probe=ProbeKind.BROWSER, steps=()),
        JourneyOutline(name="api", title="Ask", probe=ProbeKind.HTTP, steps=(), parameters=("email", "password")),
    ),
)
TEXT = """\
location: office
targets: {shop: {base_url: "https://www.example.com"}}
profiles:
  chosen: {PROFILE}
checks:
  - {journey: JOURNEY, profile: chosen, values: {VALUES}}
"""


def the_problems(loaded: Callable[..., Settings], journey: str, profile: str = "", values: str = "") -> list[str]:
    text = TEXT.replace("JOURNEY", journey).replace("PROFILE", profile).replace("VALUES", values)
    found = check_journeys(loaded(text), CATALOGUE)
    assert all((problem.line, problem.column) == (6, 5) for problem in found)
    return [f"{problem.path}: {problem.message}" for problem in found]


def test_a_check_that_fits_its_journey_has_no_problem(loaded: Callable[..., Settings]):
    assert the_problems(loaded, "checkout", "network: 3g, cpu_slowdown: 4") == []
    assert the_problems(loaded, "checkout", "engine: firefox, ip_family: ipv4, hosts: {a.example: 127.0.0.1}") == []
    assert the_problems(loaded, "api", "engine: firefox, resolver: 192.0.2.1", "email: a, password: b") == []


@pytest.mark.parametrize(
    ("journey", "profile", "values", "problem"),
    [
        ("checkoot", "", "", "no journey is called 'checkoot'; did you mean 'checkout'?"),
        ("zzz", "", "", "no journey is called 'zzz'; the journeys are: api, checkout"),
        (
            "api",
            "",
            "email: a",
            "the journey api needs 'password'; give it under values or secrets",
        ),
        ("checkout", "", "extra: a", "the journey checkout takes no 'extra'; leave it out"),
        (
            "checkout",
            "resolver: 192.0.2.1",
            "",
            (
                "profile chosen: a browser cannot be given a resolver; "
                "use 'hosts', or a profile of its own for HTTP journeys"
            ),
        ),
        (
            "checkout",
            "engine: firefox, cpu_slowdown: 2",
            "",
            "profile chosen: 'cpu_slowdown' works in chromium only, not in firefox; leave it out",
        ),
        (
            "checkout",
            "engine: firefox, network: 3g",
            "",
            "profile chosen: 'network' works in chromium only, not in firefox; leave it out, or write offline",
        ),
        (
            "checkout",
            "ip_family: ipv6",
            "",
            "profile chosen: chromium cannot be held to ipv6; use 'hosts' with an address of that version",
        ),
        (
            "checkout",
            "engine: firefox, hosts: {www.example.com: 192.0.2.1}",
            "",
            "profile chosen: firefox cannot send the 'hosts' of profile and target to other addresses; use chromium",
        ),
        (
            "checkout",
            "engine: webkit, third_party_storage: false",
            "",
            "profile chosen: webkit has its own way with 'third_party_storage'; leave it out",
        ),
        (
            "api",
            'proxy: {url: "socks5://proxy.example:1080"}',
            "email: a, password: b",
            "profile chosen: an HTTP journey goes through http:// proxies only; use another profile",
        ),
        (
            "api",
            "network: 3g",
            "email: a, password: b",
            "profile chosen: an HTTP journey has no access line to shape or cut; use a profile without 'network'",
        ),
    ],
)
def test_what_does_not_fit_a_journey_is_told(
    loaded: Callable[..., Settings], journey: str, profile: str, values: str, problem: str
):
    assert the_problems(loaded, journey, profile, values) == [f"checks[0]: {problem}"]


def test_a_misspelled_parameter_is_told_from_a_missing_one(loaded: Callable[..., Settings]):
    assert the_problems(loaded, "api", "", "email: a, passwrd: b") == [
        "checks[0]: the journey api needs 'password'; give it under values or secrets",
        "checks[0]: the journey api takes no 'passwrd'; did you mean 'password'?",
    ]


def test_problems_of_journey_files_are_told_with_the_others(loaded: Callable[..., Settings]):
    text = TEXT.replace("JOURNEY", "checkout").replace("PROFILE", "").replace("VALUES", "")
    catalogue = JourneyCatalogue(
        journeys=CATALOGUE.journeys,
        problems=(JourneyProblem(source="checks/broken.py", line=3, message="a syntax error"),),
    )
    (problem,) = check_journeys(loaded(text), catalogue)
    assert str(problem) == "checks/broken.py:3:1: a syntax error"


def test_a_journey_that_no_worker_could_make_is_a_problem(loaded: Callable[..., Settings]):
    text = TEXT.replace("PROFILE", "").replace("VALUES", "email: a, password: b")
    text += "workers: {browsers: 0, scripts: 0}\n"
    for journey, key in (("checkout", "browsers"), ("api", "scripts")):
        found = [one.message for one in check_journeys(loaded(text.replace("JOURNEY", journey)), CATALOGUE)]
        assert any(f"workers.{key} is 0; raise it, or disable the check" in message for message in found)


def test_a_journey_whose_file_has_a_mistake_is_not_said_to_be_missing(loaded: Callable[..., Settings]):
    text = TEXT.replace("PROFILE", "").replace("VALUES", "")
    broken = JourneyCatalogue(problems=(JourneyProblem(source="checks/home.yaml", message="unknown key", line=5),))
    found = check_journeys(loaded(text.replace("JOURNEY", "home")), broken)
    assert [problem.message for problem in found] == ["unknown key"]
    found = check_journeys(loaded(text.replace("JOURNEY", "other")), broken)
    assert any("no journey is called 'other'; the journeys are: none that can be used" in one.message for one in found)
