"""What an alert is delivered to: a real HTTP receiver that keeps what came, by receiver."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One alert of one notification, as it was delivered.

    Attributes:
        at: Seconds of the monotonic clock when it came.
    """

    at: float
    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    fingerprint: str

    @property
    def name(self) -> str:
        """The name of the alert."""
        return self.labels["alertname"]


class Pager:
    """Takes webhooks of Alertmanager on a port of its own, one path for each receiver."""

    def __init__(self) -> None:
        self._notices: list[Notice] = []
        self._arrival = threading.Condition()
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                pager._take(self.path.strip("/"), json.loads(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def write_urls(self, folder: Path, receivers: tuple[str, ...]) -> None:
        """Write one file for each receiver that holds its address."""
        folder.mkdir(parents=True, exist_ok=True)
        for receiver in receivers:
            (folder / receiver).write_text(f"http://127.0.0.1:{self._server.server_address[1]}/{receiver}")

    def notices(self, **wanted: str) -> tuple[Notice, ...]:
        """Return what came so far, by ``receiver``, ``status`` and labels (``alertname=…``)."""
        with self._arrival:
            return self._matching(wanted)

    def wait(self, patience: float, *, after: float = 0.0, **wanted: str) -> Notice:
        """Return the first such notice that came after a moment; when the patience ends the test fails."""
        end = time.monotonic() + patience
        with self._arrival:
            while not (found := self._first(after, wanted)):
                if not self._arrival.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
                    came = [(each.receiver, each.name, each.status) for each in self._notices]
                    pytest.fail(f"after {patience} s no notice of {wanted}; there came {came}")
            return found

    def wait_for_silence(self, seconds: float, patience: float, **wanted: str) -> None:
        """Wait until no such notice has come for so many seconds, as a dead man's switch does before it rings."""
        end = time.monotonic() + patience
        with self._arrival:
            since = time.monotonic()
            while (now := time.monotonic()) < since + seconds:
                if now >= end:
                    pytest.fail(f"{patience} s later there still come notices of {wanted}")
                before = len(self._matching(wanted))
                self._arrival.wait(since + seconds - now)
                if len(self._matching(wanted)) > before:
                    since = time.monotonic()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _matching(self, wanted: Mapping[str, str]) -> tuple[Notice, ...]:
        return tuple(notice for notice in self._notices if _is(notice, wanted))

    def _first(self, after: float, wanted: Mapping[str, str]) -> Notice | None:
        return next((each for each in self._notices if each.at > after and _is(each, wanted)), None)

    def _take(self, receiver: str, body: Mapping[str, Any]) -> None:
        now = time.monotonic()
        came = [
            Notice(
                at=now,
                receiver=receiver,
                status=alert["status"],
                labels=alert["labels"],
                annotations=alert["annotations"],
                fingerprint=alert["fingerprint"],
            )
            for alert in body["alerts"]
        ]
        with self._arrival:
            self._notices += came
            self._arrival.notify_all()


def receivers_of(config: Path) -> tuple[str, ...]:
    """Return the names of the receivers in a configuration of Alertmanager."""
    return tuple(receiver["name"] for receiver in yaml.safe_load(config.read_text())["receivers"])


def _is(notice: Notice, wanted: Mapping[str, str]) -> bool:
    own = {"receiver": notice.receiver, "status": notice.status}
    return all({**notice.labels, **own}.get(name) == value for name, value in wanted.items())
