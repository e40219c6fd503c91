from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from monitor.domain.check import Check
from monitor.domain.profile import HostOverride, Proxy
from monitor.domain.secret import Secret
from monitor.journeys.files import JourneyFolder, UnusableFileError, outline_of
from monitor.journeys.looking import BUILTIN, LOOK, built_in, by_address, by_resolver, look_at
from tests.builders import a_profile, a_target

HEADERS = (("X-Key", Secret("key", "opensesame")),)
PIN = HostOverride(host="www.example.com", address="192.0.2.1")
PROXY = Proxy(url="http://192.0.2.9:3128")


def a_look(url: str = "https://www.example.com/a?b=c", **values) -> Check:
    target = a_target(
        base_url="https://www.example.com/shop",
        headers=HEADERS,
        hosts=(PIN,),
        extra_ca="PEM",
        allowed_private=False,
        trace_context=True,
        concurrency=1,
    )
    return look_at(url, name="look of x", **{"target": target, "profile": a_profile(), **values})


def test_the_main_process_knows_the_journey_that_a_worker_performs():
    assert outline_of(built_in("look")) == LOOK


def test_the_outline_loads_no_browser_and_no_page():
    code = "import sys, monitor.journeys.looking; print('playwright' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_journey_of_the_users_own_may_be_called_look(folder, write):
    write("look.py", good="look")
    loads = JourneyFolder(folder)
    assert loads.load("look", "checks/look.py").title == "Browse the shop"
    assert loads.load("look").title == "Browse the shop"
    assert loads.load("look", BUILTIN) is built_in("look")


def test_nothing_else_is_built_in(folder):
    with pytest.raises(UnusableFileError, match="no journey 'order' is built in"):
        JourneyFolder(folder).load("order", BUILTIN)


def test_a_look_takes_the_way_of_the_checks_own_runs():
    check = a_look("https://other.example/x", deadline=dt.timedelta(seconds=3))
    target = check.target
    assert (target.base_url, target.hosts, target.extra_ca) == ("https://other.example", (PIN,), "PEM")
    assert (target.allowed_private, target.trace_context, target.headers) == (False, False, ())
    assert (check.journey, check.attempts, check.deadline) == ("look", 1, dt.timedelta(seconds=3))
    assert {name for name, _ in check.values} == set(LOOK.parameters)


def test_a_look_waits_for_no_run_of_its_target():
    assert a_look().target.name not in {"shop", "look"}
    assert a_look().target.concurrency > 100


@pytest.mark.parametrize("url", ["https://www.example.com", "https://WWW.EXAMPLE.COM:443/x"])
def test_the_targets_own_origin_is_told_by_scheme_host_and_port(url: str):
    assert a_look(url).target.headers == HEADERS
    assert a_look(url).target.trace_context


@pytest.mark.parametrize(
    "url", ["http://www.example.com/", "https://www.example.com:8443/", "https://example.com/", "https://[::1]/"]
)
def test_another_origin_gets_no_headers(url: str):
    assert a_look(url).target.headers == ()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://www.example.com/", "only http and https"),
        ("www.example.com", "only http and https"),
        ("https://", "only http and https"),
        ("https://www.example.com:x/", "no URL"),
        ("https://www.example.com/?token=•••", "masked"),
        ("https://me:opensesame@www.example.com/", "user name or password"),
        ("https://www.example.com/" + "x" * 2_000, "cut short"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(url: str, words: str):
    with pytest.raises(ValueError, match=words) as caught:
        a_look(url)
    assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize("method", ["POST", "get", ""])
def test_what_may_have_an_effect_is_refused(method: str):
    with pytest.raises(ValueError, match="GET or a HEAD"):
        a_look(method=method)


def test_a_resolver_is_asked_in_place_of_all_that_would_answer_for_it():
    profile = a_profile(hosts=(PIN,), proxy=PROXY, resolver="192.0.2.53")
    check = by_resolver(a_look(profile=profile), "198.51.100.53:5353")
    assert (check.profile.resolver, check.profile.hosts, check.profile.proxy) == ("198.51.100.53:5353", (), None)
    assert check.target.hosts == ()
    assert check.target.headers == HEADERS


def test_an_address_is_looked_at_past_pins_and_proxy():
    check = by_address(a_look(profile=a_profile(hosts=(PIN,), proxy=PROXY)), "198.51.100.7")
    pinned = HostOverride(host="www.example.com", address="198.51.100.7")
    assert (check.profile.hosts[0], check.target.hosts[0], check.profile.proxy) == (pinned, pinned, None)
    assert dict(check.values)["url"] == "https://www.example.com/a?b=c"
    assert dict(check.values)["host"] == ""


def test_an_address_with_the_urls_own_port_changes_no_url():
    assert by_address(a_look(), "198.51.100.7:443").values == a_look().values


def test_an_address_with_another_port_is_asked_in_the_name_of_the_host():
    check = by_address(a_look("https://www.example.com:8443/a"), "[2001:db8::7]:9443")
    values = dict(check.values)
    assert (values["url"], values["host"]) == ("https://www.example.com:9443/a", "www.example.com:8443")
    assert check.target.base_url == "https://www.example.com:9443"
    assert check.target.headers == ()
    assert by_address(a_look(), "198.51.100.7:9443").target.headers == HEADERS


def test_a_port_alone_is_no_address():
    with pytest.raises(ValueError, match="not host:port"):
        by_address(a_look(), ":8443")
