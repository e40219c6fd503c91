"""A file that pipelines append to: each line once, bad ones told with their number, whatever becomes of the file."""

from __future__ import annotations

import datetime as dt
import json
import logging
from pathlib import Path

import pytest

from monitor.domain.deployment import Deployment
from monitor.service.event_file import EventFile
from tests.builders import A_MOMENT


class StillClock:
    def now(self) -> dt.datetime:
        return A_MOMENT

    def elapsed(self) -> float:
        return 0.0


class Follower:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[Deployment] = []
        self.file = EventFile(
            path, self._take, clock=StillClock(), targets=lambda: {"shop"}, keep=dt.timedelta(days=90)
        )

    async def _take(self, deployment: Deployment) -> bool:
        self.taken.append(deployment)
        return True

    def append(self, text: str) -> None:
        with self.path.open("a") as file:
            file.write(text)

    async def versions(self) -> list[str]:
        self.taken.clear()
        await self.file.read()
        return [one.version for one in self.taken]


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(tmp_path / "deployments.jsonl")


def a_line(version: str, **values: object) -> str:
    event = {"kind": "deployment", "service": "shop-api", "version": version, "at": "2026-03-02T09:48:00Z"}
    return json.dumps({**event, **values}) + "\n"


async def test_each_line_is_taken_once_when_it_is_whole(follower: Follower):
    assert await follower.versions() == []
    follower.append(a_line("1") + a_line("2") + a_line("3")[:20])
    assert await follower.versions() == ["1", "2"]
    assert await follower.versions() == []
    follower.append(a_line("3")[20:] + "\n\n" + a_line("4", target="shop"))
    assert await follower.versions() == ["3", "4"]


async def test_a_bad_line_is_told_once_with_its_number_and_left_out(follower: Follower, caplog):
    follower.append(a_line("1") + "{oops\n" + a_line("2", target="other") + '{"kind": "deployment"}\n' + a_line("3"))
    assert await follower.versions() == ["1", "3"]
    assert await follower.versions() == []
    told = [(each.line, each.reason) for each in caplog.records]
    assert told == [
        (2, "it is no JSON"),
        (3, "'target' (or 'environment') must be one of: shop"),
        (4, "'service' must be a text of letters, digits, '.', '_', '/' and '-', at most 100 characters"),
    ]


async def test_a_line_without_a_moment_is_bad_for_it_could_not_be_told_from_its_repetition(follower: Follower, caplog):
    follower.append('{"kind": "deployment", "service": "shop-api", "version": "1"}\n')
    assert await follower.versions() == []
    assert "'at' must be a moment" in caplog.records[0].reason


async def test_a_file_of_nothing_but_bad_lines_fills_no_log(follower: Follower, caplog):
    caplog.set_level(logging.WARNING)
    follower.append("nonsense\n" * 5000)
    assert await follower.versions() == []
    assert len(caplog.records) == 20
    assert caplog.records[-1].reason.endswith("further ones are not told")


@pytest.mark.parametrize("ended", [True, False])
async def test_an_endless_line_is_left_out_and_what_follows_is_taken(follower: Follower, caplog, ended):
    follower.append(a_line("1") + "x" * 700_000)
    assert await follower.versions() == ["1"]
    follower.append(("\n" if ended else "y\n") + a_line("2"))
    assert await follower.versions() == ["2"]
    assert [(each.line, each.reason) for each in caplog.records] == [(2, "it is longer than 16384 bytes")]


async def test_a_file_that_was_replaced_or_cut_is_read_from_its_beginning(follower: Follower, tmp_path: Path):
    follower.append(a_line("1") + a_line("2"))
    assert await follower.versions() == ["1", "2"]
    follower.path.write_text(a_line("3"))
    assert await follower.versions() == ["3"]
    other = tmp_path / "other"
    other.write_text(a_line("4") + a_line("5") + a_line("6"))
    other.replace(follower.path)
    assert await follower.versions() == ["4", "5", "6"]
    follower.path.unlink()
    assert await follower.versions() == []


async def test_what_is_older_than_runs_are_kept_is_passed_over_in_silence(follower: Follower, caplog):
    follower.append(a_line("1", at="2020-01-01T00:00:00Z") + a_line("2"))
    assert await follower.versions() == ["2"]
    assert caplog.records == []


async def test_a_large_file_is_read_whole_a_piece_at_a_time(follower: Follower):
    follower.append("".join(a_line(str(number)) for number in range(10_000)))
    assert await follower.versions() == [str(number) for number in range(10_000)]
