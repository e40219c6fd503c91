from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from playwright.async_api import async_playwright

from monitor.config.presets import EXECUTABLES, NETWORKS, device_names
from monitor.config.profile_model import NetworkPreset


@pytest.mark.browser
async def test_the_devices_are_those_of_the_installed_playwright():
    async with async_playwright() as playwright:
        assert sorted(playwright.devices) == list(device_names())


def test_every_named_network_may_be_written_and_is_documented():
    documentation = Path("docs/configuration.md").read_text("utf-8")
    assert set(get_args(NetworkPreset)) == set(NETWORKS)
    for name, network in NETWORKS.items():
        assert f"`{name}`" in documentation
        if not network.offline:
            assert f"{network.latency.total_seconds() * 1000:.0f} ms" in documentation


def test_browsers_are_named_by_absolute_paths_outside_of_anybodys_reach():
    for paths in EXECUTABLES.values():
        for path in paths:
            assert path.startswith(("/usr/bin/", "/usr/lib/", "/opt/", "/snap/bin/"))
