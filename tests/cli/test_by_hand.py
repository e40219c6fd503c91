"""Running checks by hand, as typed: against a port of this machine on which nobody listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli.exits import Exit
from monitor.cli.scaffold import write_scaffold


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    path, *_ = write_scaffold(tmp_path)
    # Held for as long as the test takes, or somebody else would be given the port and answer there.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        path.write_text(path.read_text().replace("https://www.example.org", f"http://127.0.0.1:{port}"))
        yield path


def test_files_that_were_in_the_folder_for_artifacts_before_stay_there(typed, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "precious.txt").write_text("years of work")
    result = typed("run", "home", "--artifacts", str(folder), "--no-investigate")
    assert result.exit_code == Exit.FAILED
    assert "this run went into no history" in result.stdout
    assert (folder / "precious.txt").read_text() == "years of work"
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_a_folder_for_artifacts_that_cannot_be_made_is_one_clear_line(typed, tmp_path):
    (tmp_path / "file").write_text("")
    result = typed("run", "home", "--artifacts", str(tmp_path / "file" / "x"))
    assert result.stdout.startswith("--artifacts: ")
    assert "cannot be made: Not a directory" in result.stdout
