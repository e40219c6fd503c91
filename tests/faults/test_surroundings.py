"""A full disk, too few files, a missing browser, journeys that cannot be loaded."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import until
from tests.faults.conftest import Place, Site

pytestmark = pytest.mark.slow

BROWSED = """\
from monitor.journeys import Browser, Journey, step

@step("Open")
async def open_page(browser: Browser) -> None:
    await browser.open("/")

journey = Journey(name="browsed", title="Look at a page", steps=(open_page,))
"""


@pytest.fixture
def small_disk(place: Place) -> Iterator[Path]:
    """The data directory as a file system of its own, with little room."""
    data = place.folder / "data"
    data.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(data)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    yield data
    place.close()
    subprocess.run(["umount", "-l", str(data)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"x" * 4096)


def test_checks_go_on_while_the_disk_is_full_and_their_results_come_back(
    place: Place, site: Site, small_disk: Path
) -> None:
    names = [f"check-{number}" for number in range(10)]
    place.configure(site, names)
    # Failed runs keep all their evidence, so that the disk is soon felt.
    site.broken.update(names)
    place.start()
    until(lambda: site.answered >= 10, "runs before the disk is full")

    def felt() -> bool:
        fill(small_disk)
        healthy, words = place.health()
        return not healthy and "disk is full" in words

    until(felt, "health names the full disk")
    full_since, before = time.time(), site.answered
    until(lambda: site.answered >= before + 30 and time.time() > full_since + 6, "checks go on")
    until(lambda: "\nfaultline_store_writable 0" in place.get("/metrics"), "the metrics show it")
    full_until = time.time()
    (small_disk / "filler").unlink()
    until(lambda: place.health()[0], "healthy again")

    def kept() -> list[str]:
        return [state for _, at, state, _ in place.slots() if full_since < at < full_until - 2]

    # On a busy machine a slot may be left out; what began has a result.
    until(lambda: set(kept()) <= {"finished", "missed", "skipped"}, "all results of that time are there")
    assert kept().count("finished") >= 20
    assert place.number("faultline_results_dropped_total") == 0


def test_too_few_files_are_our_fault_and_pass(place: Place, site: Site) -> None:
    place.configure(site, [f"check-{number}" for number in range(200)], every="10s")
    site.hold.clear()
    place.start()
    assert place.process is not None
    # Not our own limit, which it would inherit: how many files other tests have left open here is not known.
    resource.prlimit(place.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    # Far below the deadline of ten seconds, so that no run may blame the site.
    breath = threading.Event()

    def breathe() -> None:
        while not breath.wait(4):
            site.hold.set()
            time.sleep(0.5)
            site.hold.clear()
        site.hold.set()

    breathing = threading.Thread(target=breathe)
    breathing.start()
    try:
        until(
            lambda: place.number('faultline_prober_faults_total{.*fault="out_of_files".*}') >= 1, "too few files show"
        )
    finally:
        breath.set()
        breathing.join()
    passed = place.number("faultline_journey_runs_total")
    until(lambda: place.number("faultline_journey_runs_total") >= passed + 100, "runs again once files are free")
    assert place.number("faultline_journey_run_failures_total") == 0
    until(lambda: place.health()[0], "healthy again")


def test_without_a_browser_http_checks_go_on_and_the_browser_is_named(place: Place, site: Site) -> None:
    missing = Path("/snap/bin/chromium")
    if missing.exists():
        pytest.skip("the browser that is to be missing is installed")
    # Not each second: a busy machine needs longer for a first answer than a deadline of one second allows.
    browsed = "  - {journey: browsed, every: 5s, deadline: 5s, profile: whole}\n"
    place.configure(site, ["plain"], every="3s", extra=browsed)
    (place.folder / "journeys" / "browsed.py").write_text(BROWSED)
    config = place.folder / "monitor.yaml"
    config.write_text(
        config.read_text() + f"workers: {{chromium: {missing}}}\nprofiles: {{whole: {{full_browser: true}}}}\n"
    )
    place.start()
    run = place.wait_for_run("browsed@site/whole", "inconclusive")
    told = json.loads(place.get(f"/api/v1/runs/{run}"))
    assert told["diagnosis"]["detail"] == "client.prober", told["diagnosis"]
    assert str(missing) in json.dumps(told["diagnosis"]["evidence"])
    before = place.number('faultline_journey_runs_total{journey="plain".*}')
    until(lambda: place.number('faultline_journey_runs_total{journey="plain".*}') >= before + 3, "HTTP goes on")
    assert place.number("faultline_journey_run_failures_total") == 0


def test_journeys_that_cannot_be_loaded_cost_their_own_checks_and_are_named(place: Place, site: Site) -> None:
    broken = {
        "typo": "def oops(:\n",
        "leaves": "import sys\nsys.exit(0)\n",
        "endless": "while True:\n    pass\n",
    }
    place.configure(site, ["plain"], extra="".join(f"  - {{journey: {name}, every: 1s}}\n" for name in broken))
    for name, text in broken.items():
        (place.folder / "journeys" / f"{name}.py").write_text(text)
    place.start()
    until(lambda: place.number('faultline_journey_runs_total{journey="plain".*}') >= 3, "the sound check runs")
    page = place.get("/")
    lines = [json.loads(line) for line in place.log.read_text().splitlines() if line.startswith("{")]
    warned = "".join(line["reason"] for line in lines if line["level"] == "warning" and "reason" in line)
    for name in broken:
        assert f"{name}.py" in page
        assert f"{name}.py" in warned
        assert place.number(f'faultline_journey_slots_total{{journey="{name}".*}}') == 0
