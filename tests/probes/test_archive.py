from __future__ import annotations

import json
import stat

import pytest

from monitor.probes.archive import Archive, ArchivedAnswer, ArchiveError, kept_headers, read_archive, write_archive


def an_answer(url="https://cdn.test/lib.js?v=1", body=b"lib()", **values):
    return ArchivedAnswer(url=url, body=body, **values)


def test_what_is_written_is_read_again(tmp_path):
    answers = (
        an_answer(headers=(("content-type", "text/javascript"),), resource="script"),
        an_answer("https://cdn.test/logo.png", bytes(range(256)), resource="image"),
        an_answer("https://cdn.test/copy.js", b"lib()", resource="script"),
    )
    write_archive(tmp_path / "run", answers)
    assert read_archive(tmp_path / "run").answers == answers
    assert len(list((tmp_path / "run" / "bodies").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_archive_is_readable_by_us_alone(tmp_path):
    write_archive(tmp_path / "deep" / "run", [an_answer()])
    folders = [tmp_path / "deep" / "run", tmp_path / "deep" / "run" / "bodies"]
    files = [path for path in (tmp_path / "deep" / "run").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_an_archive_of_nothing_is_one(tmp_path):
    write_archive(tmp_path / "run", [])
    assert read_archive(tmp_path / "run").find("GET", "https://cdn.test/") is None


def test_an_archive_is_never_written_over(tmp_path):
    write_archive(tmp_path / "run", [an_answer()])
    with pytest.raises(FileExistsError):
        write_archive(tmp_path / "run", [])
    assert len(read_archive(tmp_path / "run").answers) == 1


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("monitor.probes.archive._write_private", refuse)
    with pytest.raises(OSError, match="No space"):
        write_archive(tmp_path / "run", [an_answer()])
    assert list(tmp_path.iterdir()) == []


def test_an_answer_is_found_by_its_url_first_and_then_without_the_query():
    one, two = an_answer("https://a.test/x?v=1"), an_answer("https://a.test/x?v=2", b"2")
    other = an_answer("https://a.test/y?t=1", b"y")
    archive = Archive([one, two, other])
    assert archive.find("GET", "https://a.test/x?v=2") is two
    assert archive.find("GET", "https://a.test/x?v=2#part") is two
    assert archive.find("GET", "https://a.test/x?v=3") is None
    assert archive.find("GET", "https://a.test/y?t=2") is other
    assert archive.find("GET", "https://a.test/y") is other
    assert archive.find("POST", "https://a.test/y?t=1") is None


def test_no_cookie_is_among_the_headers_that_are_kept():
    headers = {"Set-Cookie": "a=b", "Content-Type": "a/b", "Access-Control-Allow-Origin": "*", "Date": "now"}
    assert kept_headers(headers) == (("access-control-allow-origin", "*"), ("content-type", "a/b"))


def break_index(folder, **values):
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | values))


def change_body(folder):
    next((folder / "bodies").iterdir()).write_bytes(b"something else")


def lose_body(folder):
    next((folder / "bodies").iterdir()).unlink()


def lead_outside(folder):
    break_index(folder, answers=[{"body": "../" * 20 + "etc"}])


DAMAGES = {
    "not JSON": (lambda folder: (folder / "index.json").write_text("{"), "cannot be read"),
    "a list": (lambda folder: (folder / "index.json").write_text("[]"), "not of version"),
    "another version": (lambda folder: break_index(folder, schema=99), "not of version"),
    "no answers": (lambda folder: break_index(folder, answers=[7]), "something else than answers"),
    "another body": (change_body, "not what was written"),
    "no body": (lose_body, "is missing"),
    "a body elsewhere": (lead_outside, "no proper digest"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named(tmp_path, damage):
    write_archive(tmp_path / "run", [an_answer()])
    harm, words = DAMAGES[damage]
    harm(tmp_path / "run")
    with pytest.raises(ArchiveError, match=words) as raised:
        read_archive(tmp_path / "run")
    assert str(tmp_path / "run") in str(raised.value)


def test_an_archive_that_is_not_there_says_so(tmp_path):
    with pytest.raises(ArchiveError, match="there is no archive"):
        read_archive(tmp_path / "run")
