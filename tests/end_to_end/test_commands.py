from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.end_to_end.conftest import LOGIN, SEARCH, command

# Longer than three runs that take all their time, so that what they say is told.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def take_time(folder: Path) -> None:
    """Give the checks longer deadlines: every command begins with a worker that is cold, on a machine that is busy."""
    config = folder / "monitor.yaml"
    config.write_text(re.sub(r"every: \d+s, deadline: \d+s", "every: 90s, deadline: 90s", config.read_text()))


async def conclusive(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command that makes runs; up to twice more while the machine is too busy for them to say anything."""
    for _ in range(2):
        code, out, err = await command(folder, *arguments)
        if code != 3:
            return code, out, err
    return await command(folder, *arguments)


async def test_run_prints_one_json_object_per_run_and_exits_zero(folder: Path) -> None:
    take_time(folder)
    code, out, err = await conclusive(folder, "run", "api", "order", "--json", "--config", "monitor.yaml")
    runs = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [run["check"] for run in runs] == ["api@shop-api/desktop", "order@shop-api/desktop"]
    assert {run["outcome"] for run in runs} <= {"passed", "degraded"}
    assert all(run["schema"] == "faultline.run/v1" for run in runs)


async def test_run_exits_one_and_says_whose_when_the_shop_is_broken(folder: Path, shop) -> None:
    await shop.break_("web-refuses")
    await shop.break_("api-500")
    take_time(folder)
    code, out, _ = await conclusive(folder, "run", "api", "--config", "monitor.yaml")
    assert code == 1
    assert "own infrastructure" in out
    assert "500" in out


@pytest.mark.browser
async def test_a_browser_run_leaves_a_picture_of_its_failure(folder: Path, shop) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(SEARCH)
    take_time(folder)
    await shop.break_("api-500")
    words = ("run", "search", "--json", "--artifacts", "files", "--config", "monitor.yaml")
    code, out, _ = await conclusive(folder, *words)
    run = json.loads(out)
    assert code == 1
    assert run["diagnosis"]["cause"] == "own_infrastructure"
    pictures = list((folder / "files").rglob("*.png"))
    assert pictures
    assert all(path.stat().st_mode & 0o077 == 0 for path in pictures)


async def test_an_unknown_check_is_one_line_with_a_suggestion(folder: Path) -> None:
    code, _, err = await command(folder, "run", "ordr", "--config", "monitor.yaml")
    assert code == 2
    assert "order" in err
    assert len(err.strip().splitlines()) == 1


async def test_a_missing_secret_costs_its_own_check_alone(folder: Path) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(LOGIN)
    code, out, _ = await command(folder, "validate", "--config", "monitor.yaml")
    assert code == 0
    assert "login@shop/desktop does not run" in out
    assert "SHOP_PASSWORD" in out
    code, _, err = await command(folder, "run", "login", "--config", "monitor.yaml")
    assert code == 2
    assert "SHOP_PASSWORD" in err


async def test_every_problem_is_printed_at_once_with_its_place(folder: Path) -> None:
    config = folder / "monitor.yaml"
    config.write_text(config.read_text().replace("every: 2s", "evry: 2s").replace("journey: order", "journey: ordre"))
    code, _, err = await command(folder, "validate", "--config", "monitor.yaml")
    assert code == 2
    assert "monitor.yaml:9:" in err
    assert "did you mean" in err


async def test_a_broken_journey_is_named_by_validate_with_its_line(folder: Path) -> None:
    checks = folder / "mine"
    checks.mkdir()
    (checks / "broken.py").write_text("from monitor.journeys import step\n\ndef oops(:\n")
    config = folder / "monitor.yaml"
    config.write_text(config.read_text().replace("journeys: ", "journeys: mine #"))
    code, _, err = await command(folder, "validate", "--config", "monitor.yaml")
    assert code == 2
    assert "broken.py:3" in err


async def test_what_init_writes_is_valid(tmp_path: Path) -> None:
    code, out, _ = await command(tmp_path, "init", "mine")
    assert code == 0
    assert "monitor.yaml" in out
    code, out, err = await command(tmp_path / "mine", "validate")
    assert (code, err) == (0, "")
    assert "is good" in out
    assert "warning: the ownership file names no controls" in out
    code, _, err = await command(tmp_path, "init", "mine")
    assert code == 2
    assert "nothing was written" in err


async def test_an_open_address_without_a_password_is_refused(folder: Path) -> None:
    code, _, err = await command(folder, "serve", "--config", "monitor.yaml", "--listen", "0.0.0.0:9488")
    assert code == 2
    assert "password" in err


async def test_a_run_that_is_not_there_is_one_clear_line(folder: Path) -> None:
    code, _, err = await command(folder, "explain", "nothing", "--config", "monitor.yaml")
    assert code == 2
    assert len(err.strip().splitlines()) == 1


@pytest.mark.browser
async def test_the_doctor_finds_the_browsers(folder: Path) -> None:
    shown, out = "headless Chromium starts and shows a page", ""
    for _ in range(3):
        # It gives a browser no more time than a run would, which a machine that is busy just now may not have.
        code, out, _ = await command(folder, "doctor", "--config", "monitor.yaml")
        assert code == 0, out
        if shown in out:
            return
    pytest.fail(out)
