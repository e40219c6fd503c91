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


def test_commands_are_told_what_they_need_to_mean_the_same_monitor(config: Path, tmp_path: Path, monkeypatch):
    plain = read_settings(config, {}).options
    assert plain.startswith(f"--config {config}")
    choices = StartupChoices(data=tmp_path / "my data", listen="127.0.0.1:9999")
    told = read_settings(config, {}, choices).options
    assert told == f"--config {config} --data '{tmp_path / 'my data'}' --listen 127.0.0.1:9999"
    (tmp_path / "config").mkdir()
    config.rename(tmp_path / "config" / "monitor.yaml")
    monkeypatch.chdir(tmp_path)
    assert read_settings(Path("config/monitor.yaml"), {}).options == ""


def test_a_monitor_that_listens_everywhere_is_reached_on_loopback(config: Path, tmp_path: Path):
    (tmp_path / "password").write_text("open sesame")
    choices = StartupChoices(listen="0.0.0.0:9999", username="ada", password_file=tmp_path / "password")
    settings = read_settings(config, {}, choices)
    assert settings.web.username == "ada"
    assert settings.options.endswith("--listen 127.0.0.1:9999")


def test_a_user_name_without_a_password_is_one_clear_line(config: Path):
    with pytest.raises(StartupError, match="--username: a user name needs a password"):
        read_settings(config, {}, StartupChoices(username="ada"))


@pytest.mark.parametrize("text", ["foo", "127.0.0.1", "::1"])
def test_an_address_to_listen_on_needs_its_port(config: Path, text: str):
    with pytest.raises(StartupError, match="has no port; write host:port"):
        read_settings(config, {}, StartupChoices(listen=text))
