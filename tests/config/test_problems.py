"""What is refused, and the exact words: each case changes a sound file in one place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]

SOUND = """\
location: office
targets:
  shop: {base_url: "https://www.example.com"}
checks:
  - {journey: home, target: shop, every: 5m}
"""


def with_target(entry: str) -> str:
    return SOUND.replace('{base_url: "https://www.example.com"}', entry)


def with_check(entry: str) -> str:
    return SOUND.replace("{journey: home, target: shop, every: 5m}", entry)


NAME = "is not a name; write lower-case letters, digits and dashes, at most 63"

CASES = {
    "nothing": ("", "monitor.yaml:1:1: the file is empty; see docs/configuration.md"),
    "no checks": (
        SOUND.split("  - ", maxsplit=1)[0],
        "monitor.yaml:4:8: checks: must be a list: '- item', one on a line",
    ),
    "zero checks": (SOUND.split("\n  - ", maxsplit=1)[0] + " []\n", "monitor.yaml:4:9: checks: must not be empty"),
    "checks missing": (SOUND.split("checks:", maxsplit=1)[0], "monitor.yaml:1:1: 'checks' is missing"),
    "all disabled": (
        with_check("{journey: home, enabled: false}"),
        "monitor.yaml:5:3: checks: every check is disabled, nothing would be watched; enable one",
    ),
    "duplicate key": (
        with_check("{journey: home, journey: pay}"),
        "monitor.yaml:5:21: checks[0].journey: 'journey' is given twice, first on line 5; keep one",
    ),
    "duplicate check": (
        SOUND + "  - {journey: home, target: shop, name: another, every: 1m}\n",
        (
            "monitor.yaml:6:5: checks[1]: 'home@shop/desktop' is there already, on line 5, and their figures would "
            "mix; give it a target or profile of another name"
        ),
    ),
    "duplicate name": (
        with_check("{journey: home, name: one}") + "  - {journey: pay, name: one}\n",
        "monitor.yaml:6:5: checks[1]: a check is called 'one' already, on line 5; rename one",
    ),
    "unknown key": (
        with_check("{journey: home, timelimit: 30s}"),
        "monitor.yaml:5:21: checks[0].timelimit: unknown key; did you mean 'deadline'?",
    ),
    "unknown section": (
        SOUND + "security: {password: x}\n",
        "monitor.yaml:6:1: security: unknown key; did you mean 'web'?",
    ),
    "misspelled password": (
        SOUND + "web: {username: me, passwrd: x}\n",
        "monitor.yaml:6:21: web.passwrd: unknown key; did you mean 'password'?",
    ),
    "half-filled credentials": (
        SOUND + "web: {username: me, password: }\n",
        "monitor.yaml:6:6: web: needs both 'username' and 'password', or neither",
    ),
    "open to others": (
        SOUND + "web: {listen: '0.0.0.0:9488'}\n",
        (
            "monitor.yaml:6:15: web.listen: '0.0.0.0:9488' is reached by others; "
            "give 'username' and 'password', or listen on 127.0.0.1"
        ),
    ),
    "password in the file": (
        SOUND + "web: {username: me, password: hunter2}\n",
        (
            "monitor.yaml:6:31: web.password: a secret must not stand in this file; "
            "write ${NAME} for an environment variable, or {file: path}"
        ),
    ),
    "no password in the environment": (
        SOUND + 'web: {listen: "0.0.0.0:80", username: me, password: "${NO_SUCH}"}\n',
        "monitor.yaml:6:53: web.password: the environment variable NO_SUCH is not set; set it before the start",
    ),
    "name out of the folder": (
        SOUND.replace("shop", "../../etc/x"),
        f"monitor.yaml:3:3: targets.../../etc/x: '../../etc/x' {NAME}",
        f"monitor.yaml:5:29: checks[0].target: '../../etc/x' {NAME}",
    ),
    "name with a slash": (with_check("{journey: a/b}"), f"monitor.yaml:5:15: checks[0].journey: 'a/b' {NAME}"),
    "name with NUL": (
        with_check('{journey: "a\\0b"}'),
        f"monitor.yaml:5:15: checks[0].journey: 'a\\x00b' {NAME}",
    ),
    "name too long": (
        with_check("{journey: " + "a" * 300 + "}"),
        f"monitor.yaml:5:15: checks[0].journey: '{'a' * 59}…' {NAME}",
    ),
    "name with an emoji": (with_check("{journey: shop😀}"), f"monitor.yaml:5:15: checks[0].journey: 'shop😀' {NAME}"),
    "name with a bidi override": (
        with_check('{journey: "a\\u202eb"}'),
        f"monitor.yaml:5:15: checks[0].journey: 'a\\u202eb' {NAME}",
    ),
    "file URL": (
        with_target("{base_url: 'file:///etc/passwd'}"),
        (
            "monitor.yaml:3:20: targets.shop.base_url: 'file:///etc/passwd' must start with https:// or http://; "
            "other schemes are refused"
        ),
    ),
    "user info": (
        with_target("{base_url: 'https://me:hunter2@www.example.com'}"),
        (
            "monitor.yaml:3:20: targets.shop.base_url: a URL must not hold a user name or password; "
            "send them in a header from a secret"
        ),
    ),
    "query": (
        with_target("{base_url: 'https://www.example.com/?a=b'}"),
        (
            "monitor.yaml:3:20: targets.shop.base_url: 'https://www.example.com/?a=b' must end with its path; "
            "leave out what follows '?' or '#'"
        ),
    ),
    "no URL": (
        with_target("{base_url: 'https://www.example.com:port'}"),
        "monitor.yaml:3:20: targets.shop.base_url: not a URL; write https://www.example.com",
    ),
    "reserved header": (
        with_target("{base_url: 'https://a.example', headers: {Host: b.example}}"),
        "monitor.yaml:3:51: targets.shop.headers.Host: 'Host' is set by the client itself; leave it out",
    ),
    "two words for truth": (
        with_check("{journey: home, enabled: on}"),
        "monitor.yaml:5:30: checks[0].enabled: 'on' is ambiguous: write true, or \"on\" in quotes for text",
    ),
    "sixties": (
        with_check("{journey: home, every: 1:30}"),
        (
            "monitor.yaml:5:28: checks[0].every: '1:30' is ambiguous (some readers count it in sixties): "
            "write a plain number such as 90 or 1.5, or quote it for text"
        ),
    ),
    "no unit": (
        with_check("{journey: home, every: 30}"),
        "monitor.yaml:5:28: checks[0].every: '30' is not a duration; write 30s, 5m or 1h",
    ),
    "too often": (
        with_check("{journey: home, every: 100ms}"),
        "monitor.yaml:5:28: checks[0].every: 100ms is too often; write 1s or more",
    ),
    "deadline longer than interval": (
        with_check("{journey: home, every: 30s, deadline: 45s}"),
        (
            "monitor.yaml:5:43: checks[0].deadline: 45s is longer than the time between two runs, 30s; "
            "shorten the deadline or run it less often"
        ),
    ),
    "deadline longer than the gap of a crontab": (
        with_check("{journey: home, cron: '0,1 * * * *', deadline: 90s}"),
        (
            "monitor.yaml:5:52: checks[0].deadline: 90s is longer than the time between two runs, 1m; "
            "shorten the deadline or run it less often"
        ),
    ),
    "deadline of the defaults": (
        with_check("{journey: home, every: 30s}") + "defaults: {deadline: 45s}\n",
        (
            "monitor.yaml:5:5: checks[0].deadline: 45s is longer than the time between two runs, 30s; "
            "shorten the deadline or run it less often (the deadline is that of 'defaults')"
        ),
    ),
    "attempts do not fit": (
        with_check("{journey: home, deadline: 50s, attempts: 3, budget: 20s}"),
        (
            "monitor.yaml:5:57: checks[0].budget: 3 times 20s does not fit the deadline of 50s, which covers all "
            "attempts; lower budget or attempts"
        ),
    ),
    "two schedules": (
        with_check("{journey: home, every: 5m, cron: '0 * * * *'}"),
        "monitor.yaml:5:5: checks[0]: has both 'every' and 'cron'; keep one",
    ),
    "any executable": (
        SOUND + "workers: {chromium: /tmp/evil}\n",
        (
            "monitor.yaml:6:21: workers.chromium: '/tmp/evil' may not be run as a browser; leave the key out, or write "
            "one of /usr/bin/chromium, /usr/bin/chromium-browser, /usr/lib/chromium/chromium, /usr/bin/google-chrome, "
            "/usr/bin/google-chrome-stable, /opt/google/chrome/chrome, /snap/bin/chromium"
        ),
    ),
    "browser arguments": (
        SOUND + "workers: {args: [--no-sandbox]}\n",
        "monitor.yaml:6:11: workers.args: unknown key",
    ),
    "unknown engine": (
        SOUND + "profiles: {old: {engine: trident}}\n",
        "monitor.yaml:6:26: profiles.old.engine: 'trident' is not one of chromium, firefox, webkit",
    ),
    "unknown device": (
        SOUND + "profiles: {phone: {device: iPhone 1}}\n",
        "monitor.yaml:6:28: profiles.phone.device: 'iPhone 1' is not a device of Playwright; did you mean 'iPhone 17'?",
    ),
    "unknown network": (
        SOUND + "profiles: {phone: {network: slow3g}}\n",
        (
            "monitor.yaml:6:29: profiles.phone.network: 'slow3g' is not a network; write one of 2g, slow-3g, 3g, "
            "fast-3g, 4g, lte, dsl, cable, fiber, offline, or figures of your own; did you mean 'slow-3g'?"
        ),
    ),
    "unknown time zone": (
        SOUND + "profiles: {phone: {timezone: Europe/Berln}}\n",
        "monitor.yaml:6:30: profiles.phone.timezone: 'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'?",
    ),
    "password for a SOCKS proxy": (
        SOUND + 'profiles: {p: {proxy: {url: "socks5://proxy.example:1080", username: me, password: "${P}"}}}\n',
        (
            "monitor.yaml:6:23: profiles.p.proxy: a browser gives no password to a SOCKS proxy; "
            "leave 'username' and 'password' out, or use http://"
        ),
    ),
    "half-filled proxy credentials": (
        SOUND + 'profiles: {p: {proxy: {url: "http://proxy.example:3128", username: me}}}\n',
        "monitor.yaml:6:23: profiles.p.proxy: needs both 'username' and 'password', or neither",
    ),
    "unknown target": (
        with_check("{journey: home, target: shpo}"),
        "monitor.yaml:5:29: checks[0].target: no target is called 'shpo'; did you mean 'shop'?",
    ),
    "unknown profile": (
        with_check("{journey: home, profile: [desktop, desktpo]}"),
        "monitor.yaml:5:40: checks[0].profile[1]: no profile is called 'desktpo'; did you mean 'desktop'?",
    ),
    "no target among several": (
        with_check("{journey: home}").replace("targets:\n", "targets:\n  two: {base_url: 'https://two.example'}\n"),
        "monitor.yaml:6:5: checks[0]: 'target' is missing, and there are 2; name one",
    ),
    "value and secret of one name": (
        with_check('{journey: home, values: {a: b}, secrets: {a: "${A}"}}'),
        "monitor.yaml:5:5: checks[0]: has 'a' in both 'values' and 'secrets'; keep one",
    ),
    "second account that says nothing": (
        with_check("{journey: home, second_account: {}}"),
        (
            "monitor.yaml:5:37: checks[0].second_account: says nothing; give what the second account signs in with "
            "under 'values' and 'secrets'"
        ),
    ),
    "value and secret of one name in a second account": (
        with_check('{journey: home, second_account: {values: {a: b}, secrets: {a: "${A}"}}}'),
        "monitor.yaml:5:37: checks[0].second_account: has 'a' in both 'values' and 'secrets'; keep one",
    ),
    "malformed reference": (
        with_check('{journey: home, values: {a: "${A B}"}}'),
        (
            "monitor.yaml:5:33: checks[0].values.a: '${' starts no reference; write ${NAME} with letters, digits and "
            "'_', or $${ for the characters themselves"
        ),
    ),
    "place from nowhere": (
        SOUND.replace("office", "${PLACE}"),
        "monitor.yaml:1:11: location: the environment variable PLACE is not set; set it before the start",
    ),
    "window without end": (
        SOUND + "maintenance: [{name: Move, start: 2026-12-01T02:00:00Z}]\n",
        "monitor.yaml:6:15: maintenance[0]: needs either 'start' and 'end', or 'cron' and 'duration'",
    ),
    "window without offset": (
        SOUND + "maintenance: [{name: Move, start: 2026-12-01, end: 2026-12-02T02:00:00Z}]\n",
        (
            "monitor.yaml:6:35: maintenance[0].start: '2026-12-01' is not a moment; "
            "write 2026-12-01T02:00:00+01:00, with its offset from UTC"
        ),
    ),
    "window of nothing": (
        SOUND + "maintenance: [{name: Move, cron: '0 3 * * *', duration: 1h, checks: [home@shop/desktpo]}]\n",
        (
            "monitor.yaml:6:70: maintenance[0].checks[0]: no check is called 'home@shop/desktpo'; "
            "did you mean 'home@shop/desktop'?"
        ),
    ),
    "evidence outlives runs": (
        SOUND + "storage: {keep_runs: 7d, keep_evidence: 14d}\n",
        "monitor.yaml:6:41: storage.keep_evidence: longer than the runs themselves are kept (7d); raise keep_runs",
    ),
    "database password in the file": (
        SOUND + "storage: {url: 'postgresql://me:hunter2@db.example/x'}\n",
        "monitor.yaml:6:16: storage.url: a password must not stand in this file; write ${NAME} in its place",
    ),
    "path that no system opens": (
        SOUND + 'journeys: "a\\0b"\n',
        "monitor.yaml:6:11: journeys: 'a\\x00b' is not a path; write ../data, relative to the folder of this file",
    ),
    "ownership that is not there": (
        SOUND + "ownership: nope.yaml\n",
        "nope.yaml:1:1: cannot be read: No such file or directory",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_in_these_words(name: str, problems_of: Problems):
    text, *expected = CASES[name]
    assert problems_of(text) == expected


@pytest.mark.parametrize("scheme", ["file", "chrome", "javascript", "data", "view-source", "ftp", "about", "ws"])
def test_schemes_that_do_more_than_fetch_a_page_are_refused(scheme: str, problems_of: Problems):
    (problem,) = problems_of(with_target(f"{{base_url: '{scheme}://x'}}"))
    assert "other schemes are refused" in problem


def test_the_sound_file_is_sound(loaded: Callable[..., object]):
    loaded(SOUND)


def test_everything_is_told_at_once_whatever_else_is_wrong(problems_of: Problems):
    text = """\
location: Head Office
web: {listen: "0.0.0.0:9488"}
profiles:
  phone: {device: iPhone 99}
targets:
  shop: {base_url: "https://www.example.com"}
  bank: {base_url: "file:///"}
checks:
  - {journey: home, target: shpo, every: 5m}
  - {journey: home, target: shop, profile: phone}
  - {journey: home, target: bank, every: 5 minutes}
  - {journey: home, target: bank, every: 30s, deadline: 1m}
"""
    paths = [problem.split(": ")[1] for problem in problems_of(text, ownership="domains: ['*.example.com']\n")]
    assert paths == [
        "location",
        "web.listen",
        "profiles.phone.device",
        "targets.bank.base_url",
        "checks[0].target",
        "checks[2].every",
        "checks[3].deadline",
        "domains[0]",
    ]


OWNERSHIP_CASES = {
    "unknown team": (
        "teams: [web]\ndefault_team: web\nhosts: {a.example: wbe}\n",
        "ownership.yaml:3:20: hosts.a.example.team: no team is called 'wbe'; did you mean 'web'?",
    ),
    "unknown vendor": (
        "hosted: [{host: help.example, vendor: Desk}]\n",
        "ownership.yaml:1:39: hosted[0].vendor: no vendor is called 'Desk'; add it to vendors",
    ),
    "host of two vendors": (
        "vendors: {A: {hosts: [x.example]}, B: {hosts: [x.example]}}\n",
        "ownership.yaml:1:48: vendors.B.hosts[0]: 'x.example' belongs to 'A' already; keep one",
    ),
    "own and foreign": (
        "domains: [x.example]\nvendors: {A: {hosts: ['*.x.example']}}\n",
        "ownership.yaml:2:23: vendors.A.hosts[0]: '*.x.example' is also one of 'domains'; it cannot be both",
    ),
    "no host": (
        "hosts: {'https://x.example': web}\n",
        (
            "ownership.yaml:1:9: hosts.https://x.example: 'https://x.example' is not a host; write pay.example.com, "
            "or *.example.com for all below it"
        ),
    ),
    "no path": (
        "paths: [{prefix: checkout, team: web}]\n",
        "ownership.yaml:1:18: paths[0].prefix: 'checkout' is not a path; write /checkout",
    ),
    "nobody for the rest": (
        "domains: [x.example]\nteams: [web]\n",
        "ownership.yaml:1:1: has 'teams' but no 'default_team'; name the team that owns the rest",
    ),
    "dangerous control": (
        "controls: ['file:///etc/passwd']\n",
        (
            "ownership.yaml:1:12: controls[0]: 'file:///etc/passwd' must start with https:// or http://; "
            "other schemes are refused"
        ),
    ),
    "an origin of a stranger": (
        "domains: [example.org]\norigins:\n  www.exmaple.com: 192.0.2.10\n",
        (
            "ownership.yaml:3:3: origins.www.exmaple.com: 'www.exmaple.com' is not an own host; "
            "did you mean 'www.example.com'?"
        ),
    ),
    "an origin of a vendor": (
        "vendors: {Pay: {hosts: ['*.pay.test']}}\norigins: {js.pay.test: 192.0.2.10}\n",
        "ownership.yaml:2:11: origins.js.pay.test: 'js.pay.test' is not an own host; add its domain to domains",
    ),
    "an origin without an address": (
        "origins: {www.example.com: origin.example.com}\n",
        (
            "ownership.yaml:1:28: origins.www.example.com: 'origin.example.com' is not an IP address, with "
            "or without a port; write 192.0.2.10 or 192.0.2.10:8443"
        ),
    ),
    "an origin with a port that is none": (
        "origins: {www.example.com: '192.0.2.10:99999'}\n",
        (
            "ownership.yaml:1:28: origins.www.example.com: '192.0.2.10:99999' is not an IP address, with "
            "or without a port; write 192.0.2.10 or 192.0.2.10:8443"
        ),
    ),
}


@pytest.mark.parametrize("name", OWNERSHIP_CASES)
def test_what_is_wrong_with_ownership_is_told_in_these_words(name: str, problems_of: Problems):
    text, *expected = OWNERSHIP_CASES[name]
    assert problems_of(SOUND, ownership=text) == expected


def test_a_check_names_a_team_that_exists(problems_of: Problems):
    text = with_check("{journey: home, team: wbe}")
    assert problems_of(text, ownership="teams: [web]\ndefault_team: web\n") == [
        "monitor.yaml:5:27: checks[0].team: no team is called 'wbe'; did you mean 'web'?",
    ]
