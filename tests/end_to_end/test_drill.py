"""A drill of the bundled shop: what is needed is found out, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import SEARCH, command
from tests.end_to_end.test_commands import conclusive, take_time

# Longer than a drill that is made anew on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]


async def test_a_drill_tells_what_the_shop_cannot_live_without_from_what_it_survives(folder: Path) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(SEARCH)
    take_time(folder)
    words = ("--only", "Example CDN", "--delay", "0.5", "--config", "monitor.yaml")
    code, out, err = await conclusive(folder, "drill", "search", "--json", *words)
    report = json.loads(out)
    (cdn,) = report["third_parties"]
    assert (code, cdn["name"], cdn["dependency"]) == (1, "Example CDN", "hard")
    assert "1 of 3: block Example CDN" in err
    assert [trial["kind"] for trial in cdn["trials"]] == ["block", "delay", "empty"]
    assert cdn["trials"][0]["failed_step"]
    assert not (folder / "data" / "drills").exists()


async def test_an_http_journey_has_nothing_to_drill(folder: Path) -> None:
    code, _, err = await command(folder, "drill", "api", "--config", "monitor.yaml")
    assert code == 2
    assert "api is an HTTP journey: it asks only what it names" in err
