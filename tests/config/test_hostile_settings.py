"""Whatever stands in place of a sound value, loading ends in settings or in problems, and in nothing else."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config.loading import ConfigurationError, load

SOUND = yaml.safe_load("""
location: office
journeys: checks
ownership: ownership.yaml
storage: {directory: data, keep_runs: 90d, url: "postgresql://me:${DB}@x/y"}
web: {listen: "127.0.0.1:80", username: me, password: "${WEB}"}
workers: {browsers: 2, chromium: /usr/bin/chromium}
profiles:
  phone: {device: Pixel 7, network: {preset: 3g}, viewport: 10x10, hosts: {"a.example:80": 192.0.2.1},
          proxy: {url: "http://p.example", username: a, password: "${P}", bypass: [x.example]}}
targets:
  shop: {base_url: "https://x.example", headers: {X-A: "${TOKEN}"}, extra_ca: ca.pem}
defaults: {every: 5m, attempts: 1}
checks:
  - {journey: home, profile: [desktop, phone], values: {a: b}, secrets: {c: "${C}", d: {file: f}}}
  - {journey: pay, cron: "0 * * * *", timezone: UTC, deadline: 10s, budget: 5s}
maintenance:
  - {name: Move, cron: "0 3 * * *", duration: 1h, checks: ["pay@*"]}
""")
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(
        ["", "${", "${X}", "$${", "..", "/dev/stdin", "0", "*", "[::1", "http://[", "a" * 300, "\x00", "0s", "@"]
    ),
    st.just([]),
    st.just({}),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=2),
    st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.text(max_size=3)), max_size=2),
)


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, element in inner:
        yield from places(element, (*path, key))


@given(changes=st.lists(st.tuples(st.sampled_from(list(places(SOUND))), ODD), min_size=1, max_size=3))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_any_place_is_taken_or_refused(
    changes: list[tuple[tuple[str | int, ...], object]], tmp_path: Path
):
    data = copy.deepcopy(SOUND)
    for path, odd in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            holder = data
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = odd
    (tmp_path / "ownership.yaml").write_text("domains: [x.example]\n")
    file = tmp_path / "monitor.yaml"
    file.write_text(yaml.safe_dump(data), "utf-8")
    with contextlib.suppress(ConfigurationError):
        load(file, {"WEB": "secret", "DB": "x", "TOKEN": "x"})
