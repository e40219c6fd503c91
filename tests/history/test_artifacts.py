"""Artifacts are private, and only what a run left can be reached."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.history import ArtifactStore, HistoryError
from tests.history.runs import a_failed_run


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


@pytest.fixture
def careless_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def permissions(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folders_and_files_are_private_whatever_the_umask(store, careless_umask, tmp_path):
    folder = store.directory("run-1")
    (folder / "screenshot.png").write_bytes(b"picture")
    store.seal("run-1")
    assert [permissions(path) for path in (tmp_path / "artifacts", folder.parent, folder)] == [0o700] * 3
    assert permissions(folder / "screenshot.png") == 0o600


async def test_everything_in_the_data_directory_is_private(sqlite_storage, opened, careless_umask):
    history = await opened(sqlite_storage)
    (history.artifacts.directory("run-browse-0") / "screenshot.png").write_bytes(b"picture")
    await history.finished(a_failed_run(0))
    assert permissions(sqlite_storage.directory) == 0o700
    for path in sqlite_storage.directory.rglob("*"):
        assert permissions(path) == (0o700 if path.is_dir() else 0o600), path


def test_a_run_that_left_nothing_leaves_no_folder(store):
    folder = store.directory("run-1")
    store.seal("run-1")
    assert not folder.exists()


def test_a_file_of_a_run_is_read(store):
    (store.directory("run-1") / "screenshot.png").write_bytes(b"picture")
    with store.open("run-1", "screenshot.png") as stream:
        assert stream.read() == b"picture"
    assert store.names("run-1") == ("screenshot.png",)


@pytest.mark.parametrize(
    ("run_id", "name"),
    [
        ("run-1", "../run-2/secret"),
        ("run-1", "/etc/passwd"),
        ("run-1", "link"),
        ("run-1", "folder"),
        ("run-1", "pipe"),
        ("run-1", ".hidden"),
        ("run-1", "missing"),
        ("run-1", ""),
        ("run-1", "a\x00b"),
        ("../run-1", "screenshot.png"),
        ("no-such-run", "screenshot.png"),
        ("", "screenshot.png"),
    ],
)
def test_nothing_else_is_reached(store, run_id, name, tmp_path):
    folder = store.directory("run-1")
    (tmp_path / "outside").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "folder").mkdir()
    (folder / ".hidden").touch()
    os.mkfifo(folder / "pipe")
    with pytest.raises(FileNotFoundError):
        store.open(run_id, name)


@pytest.mark.parametrize("run_id", ["", "..", "a/b", "-rf", "a" * 101, "run\n"])
def test_an_id_that_could_lead_elsewhere_gets_no_folder(store, run_id):
    with pytest.raises(HistoryError, match="cannot be the id of a run"):
        store.directory(run_id)


def test_links_that_a_run_left_are_removed(store, tmp_path):
    folder = store.directory("run-1")
    (tmp_path / "outside").write_bytes(b"secret")
    (tmp_path / "outside").chmod(0o644)
    (folder / "link").symlink_to(tmp_path / "outside")
    store.seal("run-1")
    assert not folder.exists()
    assert permissions(tmp_path / "outside") == 0o644
