from __future__ import annotations

import pytest

from monitor.domain.profile import Engine
from monitor.probes.browser.launch import LaunchPlan
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.browser.shortcut import Shortcuts


def test_a_short_name_stands_for_itself_and_a_long_one_gets_a_link(tmp_path):
    long = tmp_path / ("x" * 90)
    long.mkdir()
    (place := tmp_path / "p").mkdir()
    shortcuts = Shortcuts(place)
    link = shortcuts.to(long)
    assert link.resolve() == long
    assert shortcuts.to(place.parent.parent) == place.parent.parent
    shortcuts.remove()
    assert list(place.iterdir()) == []


def test_where_no_link_can_be_made_the_folder_is_used_as_it_is(tmp_path):
    long = tmp_path / ("x" * 90)
    assert Shortcuts(tmp_path / "absent").to(long) == long


@pytest.mark.browser
@pytest.mark.parametrize("plan", [LaunchPlan(), LaunchPlan(full_browser=True), LaunchPlan(engine=Engine.FIREFOX)])
async def test_browsers_start_below_a_folder_with_a_long_name(tmp_path, plan):
    probe = BrowserProbe(tmp_path / ("x" * 90) / "browsers")
    try:
        assert "Playwright" in await probe.self_test(plan)
    finally:
        await probe.close()
