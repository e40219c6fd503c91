from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.config.settings import Settings
from monitor.diagnosis.names import load_names
from monitor.dispatch import Dispatcher, LaneName
from monitor.domain.clock import SystemClock
from monitor.domain.journey import JourneyCatalogue, JourneyOutline, ProbeKind
from monitor.domain.outcome import Outcome
from monitor.domain.trace_context import trace_context_of
from monitor.service import OneShot, StartupChoices, read_settings
from monitor.service.runs import Runs
from monitor.service.startup import new_run_id
from tests.builders import A_MOMENT

CONFIG = """\
location: test
journeys: journeys
storage: {{directory: data}}
targets:
  plain: {{base_url: "{url}"}}
  traced: {{base_url: "{url}", trace_context: true}}
checks:
  - {{journey: get, target: plain, every: 1m}}
  - {{journey: get, target: traced, every: 1m}}
"""
JOURNEY = """\
name: get
title: Get a page
steps:
  - title: Get the page
    request: {url: /}
    expect: {status: 200}
"""


@pytest.fixture
def seen() -> Iterator[tuple[str, list[str | None]]]:
    """A server, and the trace contexts that reached it."""
    contexts: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            contexts.append(self.headers.get("traceparent"))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", contexts
    server.shutdown()
    server.server_close()


def settings_in(folder: Path, url: str) -> Settings:
    (folder / "journeys").mkdir()
    (folder / "journeys" / "get.yaml").write_text(JOURNEY)
    (folder / "monitor.yaml").write_text(CONFIG.format(url=url))
    return read_settings(folder / "monitor.yaml", {}, StartupChoices())


async def test_only_a_target_that_asks_for_it_gets_a_trace_context_made_from_the_run(seen, tmp_path: Path) -> None:
    url, contexts = seen
    settings = settings_in(tmp_path, url)
    async with OneShot(settings, clock=SystemClock()) as shot:
        runs = [await shot.make(check, artifacts=tmp_path) for check in settings.checks]
    assert [run.outcome for run in runs] == [Outcome.PASSED, Outcome.PASSED]
    assert contexts == [None, trace_context_of(runs[1].run_id).header]


@pytest.mark.parametrize("investigate", [True, False])
async def test_the_worker_of_looks_starts_before_anything_fails(tmp_path: Path, *, investigate: bool) -> None:
    settings = settings_in(tmp_path, "http://127.0.0.1:9")
    async with OneShot(settings, clock=SystemClock(), investigate=investigate) as shot:
        lanes = {lane.lane: lane.starting + lane.ready > 0 for lane in shot._dispatcher.status().lanes}
    assert lanes == {LaneName.HTTP: investigate, LaneName.SCRIPT: False, LaneName.BROWSER: False}


@pytest.mark.parametrize(("enabled", "lanes"), [(True, {"browser", "http"}), (False, {"browser"})])
def test_a_monitor_of_browser_checks_starts_the_lane_of_looks_too(
    tmp_path: Path, lanes: set[str], *, enabled: bool
) -> None:
    settings = settings_in(tmp_path, "http://127.0.0.1:9")
    settings = replace(settings, investigation=replace(settings.investigation, enabled=enabled))
    runs = Runs(Dispatcher(settings.workers, journeys=tmp_path, clock=SystemClock()), location="here")
    browse = JourneyOutline(name="get", title="Get", probe=ProbeKind.BROWSER, steps=())
    runs.configure(settings, JourneyCatalogue(journeys=(browse,)), load_names())
    assert {lane.value for lane in runs.lanes(settings)} == lanes
    assert runs.lanes(replace(settings, checks=())) == frozenset()


def test_a_trace_context_has_the_form_of_the_standard():
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace_context_of("run-1").header)
    assert trace_context_of("run-1") != trace_context_of("run-2")


def test_ids_of_runs_sort_by_their_moment_and_do_not_repeat():
    ids = {new_run_id(A_MOMENT) for _ in range(100)}
    assert len(ids) == 100
    assert {found[:15] for found in ids} == {"20260302-100000"}
