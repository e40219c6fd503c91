from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import commands
from monitor.cli.commands import app
from monitor.cli.exits import Exit
from monitor.cli.scaffold import write_scaffold
from monitor.service import StartupError

ORDER = ["init", "validate", "run", "serve", "explain", "owners"]
ORDER += ["drill", "replay", "notify", "doctor", "demo", "event"]


def test_help_lists_every_command_in_the_order_of_need_and_cuts_no_sentence():
    told = CliRunner().invoke(app, ["-h"], prog_name="faultline").output
    lines = told.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == ORDER
    assert not [line for line in lines if line.endswith("...")]


def test_a_missing_configuration_is_one_line_with_the_remedy(tmp_path):
    result = CliRunner().invoke(app, ["validate", "--config", str(tmp_path / "absent.yaml")])
    assert isinstance(result.exception, StartupError)
    (line,) = result.exception.lines
    assert line.startswith(f"{tmp_path / 'absent.yaml'}: there is no such file")
    assert "faultline init" in line


def test_the_authority_of_the_shop_is_made_alone_and_kept(tmp_path):
    told = [CliRunner().invoke(app, ["demo", "--authority-only", "--data", str(tmp_path / "demo")]) for _ in range(2)]
    assert [result.output for result in told] == [f"{tmp_path / 'demo' / 'ca.pem'}\n"] * 2
    pem = Path(told[0].output.strip()).read_text()
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["ca.key", "ca.pem"]


def test_a_mistake_in_a_journey_is_told_once_with_line_and_column(tmp_path):
    write_scaffold(tmp_path)
    (tmp_path / "checks" / "home.yaml").write_text(
        "name: home\ntitle: Home\nsteps:\n  - title: Home\n    request: {url: /, methd: GET}\n"
    )
    result = CliRunner().invoke(app, ["validate", "--config", str(tmp_path / "config" / "monitor.yaml")])
    assert isinstance(result.exception, StartupError)
    told = [line for line in result.exception.lines if "methd" in line]
    assert told == ["checks/home.yaml:5:23: steps[0].request.methd: unknown key; did you mean 'method'?"]


@pytest.mark.parametrize("words", [("init", "FILE/x"), ("init", "/proc/x"), ("demo", "--data", "FILE")])
def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path, words):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, [word.replace("FILE", str(tmp_path / "file")) for word in words])
    assert isinstance(result.exception, StartupError)
    assert "cannot" in str(result.exception)


def test_a_mistake_of_ours_ends_with_its_own_exit_status_and_its_traceback(monkeypatch, capsys):
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(commands, "app", broken)
    with pytest.raises(SystemExit) as ended:
        commands.main()
    assert ended.value.code == Exit.BROKEN == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_problems_of_configuration_and_journeys_are_told_together(tmp_path):
    config, *_ = write_scaffold(tmp_path)
    config.write_text(
        config.read_text().replace("every: 1m", "every: 5 minutes") + "  - {journey: hmoe, target: site}\n"
    )
    (tmp_path / "checks" / "home.yaml").write_text("name: home\ntitle: Home\nsteps: []\n")
    result = CliRunner().invoke(app, ["validate", "--config", str(config)])
    assert isinstance(result.exception, StartupError)
    told = "\n".join(result.exception.lines)
    for part in ("'5 minutes' is not a duration", "checks/home.yaml:", "no journey is called 'hmoe'"):
        assert part in told
    assert "no journey is called 'home'" not in told
