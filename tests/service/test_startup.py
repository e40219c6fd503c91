from __future__ import annotations

from pathlib import Path

import pytest

from monitor.service.startup import StartupChoices, StartupError, read_settings

CONFIG = """\
location: lab
targets: {shop: {base_url: "http://127.0.0.1:9"}}
checks: [{journey: home, target: shop}]
web: {listen: "127.0.0.1:9488"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG)
    return path


def test_links_lead_where_the_command_line_says_and_else_where_the_pages_listen(config: Path):
    moved = StartupChoices(listen="127.0.0.1:9501")
    assert read_settings(config, {}, moved).web.url == "http://127.0.0.1:9501"
    named = StartupChoices(listen="127.0.0.1:9501", external_url="https://faultline.example.org/")
    settings = read_settings(config, {}, named)
    assert settings.web.url == "https://faultline.example.org"
    assert settings.web.port == 9501


@pytest.mark.parametrize("text", ["faultline.example.org", "ftp://faultline.example.org", "https://a.example/?x=1"])
def test_an_address_that_links_cannot_begin_with_is_one_clear_line(config: Path, text: str):
    with pytest.raises(StartupError, match="--external-url: ") as refused:
        read_settings(config, {}, StartupChoices(external_url=text))
    assert len(refused.value.lines) == 1
