from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from monitor.reading.document import Document
from monitor.reading.problem import ReadingError
from monitor.reading.reader import Limits, read, read_text


def the_problems(text: str, **limits: int) -> list[str]:
    try:
        return [str(problem) for problem in read_text(text, file="f", limits=Limits(**limits)).problems]
    except ReadingError as error:
        return [str(problem) for problem in error.problems]


def a_document(text: str) -> Document:
    return read_text(text, file="f")


def test_plain_data_comes_with_the_place_of_every_value_and_key():
    document = a_document("a: 1\nlist:\n  - x\n  - key: [1, 2]\n")
    assert document.data == {"a": 1, "list": ["x", {"key": [1, 2]}]}
    assert document.place(("a",)) == (1, 4)
    assert document.key_place(("list",)) == (2, 1)
    assert document.place(("list", 1, "key", 1)) == (4, 14)
    assert document.key_place(("list", 1, "key")) == (4, 5)


def test_the_place_of_something_absent_is_that_of_what_would_hold_it():
    document = a_document("list:\n  - key: 1\n")
    assert document.place(("list", 0, "other")) == (2, 5)
    assert document.existing(("list", "function-wrap", 0, "nothing")) == ("list", 0)


def test_quoted_words_stay_text():
    assert a_document("a: '012'\nb: \"no\"\nc: |\n  1e3\n").data == {"a": "012", "b": "no", "c": "1e3\n"}


def test_an_alias_repeats_a_value():
    assert a_document("a: &it [1]\nb: *it\n").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", "f:2:1: a: 'a' is given twice, first on line 1; keep one"),
        (
            "a: !!python/object/apply:os.system ['touch /tmp/x']\n",
            "f:1:4: a: the tag '!!python/object/apply:os.system' is refused; write plain YAML, with quotes for text",
        ),
        ("a: !secret x\n", "f:1:4: a: the tag '!secret' is refused; write plain YAML, with quotes for text"),
        ("a: off\n", "f:1:4: a: 'off' is ambiguous: write false, or \"off\" in quotes for text"),
        (
            "a: [1, 012]\n",
            (
                "f:1:8: a[1]: '012' is ambiguous (a leading zero makes it octal for some readers): "
                "write a plain number such as 90 or 1.5, or quote it for text"
            ),
        ),
        ("<<: {a: 1}\n", "f:1:1: <<: merging with '<<' is not supported; write the keys out, or use 'defaults'"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document starts here; keep one document in a file"),
        ("a: &x [*x]\n", "f:1:8: a[0]: '*x' names no anchor that ends before it; put the anchor first"),
        ("[1]: 2\n", "f:1:1: a key must be a plain word; put quotes around text such as '{…}', '[…]' or '*…'"),
        ("a: [1\n", "f:2:1: not YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        (
            "a:\n\tb: 1\n",
            (
                "f:2:1: not YAML: found character that cannot start any token; "
                "put the text in quotes, and indent with spaces"
            ),
        ),
        (
            "a: \x07\n",
            "f:1:4: not YAML: a character that is not allowed; remove it, or write it as \\u…. in double quotes",
        ),
    ],
)
def test_what_has_no_place_in_a_file_is_refused_at_its_place(text: str, problem: str):
    assert the_problems(text) == [problem]


def test_the_first_of_two_values_is_kept_so_that_the_rest_can_be_examined():
    assert a_document("a: {b: 1}\na: {c: 2}\nd: 3\n").data == {"a": {"b": 1}, "d": 3}


def test_an_alias_bomb_is_refused_before_it_goes_off():
    rows = ["a: &a [1,2,3,4,5,6,7,8,9,0]"]
    rows += [f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]" for n in range(20)]
    started = time.monotonic()
    assert "more than 2,000,000 values, aliases counted each time" in the_problems("\n".join(rows))[-1]
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("text", ["[" * 10_000, "\n".join("  " * depth + "a:" for depth in range(1_000))])
def test_deep_nesting_is_refused(text: str):
    (problem,) = the_problems(text)
    assert "nest" in problem


def test_a_file_too_large_is_refused_without_being_read_whole(tmp_path: Path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(1_000_000_000)
    with pytest.raises(ReadingError, match="larger than 16 MB"):
        read(path)


def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "absent.yaml", "cannot be read: No such file or directory"),
        (tmp_path, "not a file"),
        (tmp_path / "pipe", "not a file"),
    ):
        with pytest.raises(ReadingError, match=message):
            read(path)


def test_bytes_that_are_not_utf_8_are_named_by_their_place(tmp_path: Path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: xyz\xe9\n")
    with pytest.raises(ReadingError) as raised:
        read(path)
    assert str(raised.value) == f"{path}:2:7: not UTF-8; save the file as UTF-8"


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert read(path).data == {"a": 1, "b": "x"}


def test_invisible_characters_do_not_reach_a_message():
    (problem,) = the_problems('"a\\u202eb": 1\n"a\\u202eb": 2\n')
    assert "\u202e" not in problem
    assert "\\u202e" in problem


def test_bytes_stand_behind_a_tag_where_they_are_wanted():
    document = read_text("a: !!binary |\n  AAAA\n  CATS\nb: [!!binary Uw==]\n", file="f", binary=True)
    assert document.data == {"a": b"\x00\x00\x00\x08\x04\xd2", "b": [b"S"]}
    assert document.problems == ()


def test_bytes_that_are_none_are_refused_and_so_is_the_tag_where_nobody_wants_it():
    told = [str(problem) for problem in read_text("a: !!binary x\n", file="f", binary=True).problems]
    assert told == ["f:1:4: a: not Base64; encode the bytes anew"]
    assert the_problems("a: !!binary AAAA\n") == [
        "f:1:4: a: the tag '!!binary' is refused; write plain YAML, with quotes for text"
    ]


def test_bytes_are_no_key():
    with pytest.raises(ReadingError, match="a key must be a plain word"):
        read_text("{!!binary AAAA: 1}\n", file="f", binary=True)
