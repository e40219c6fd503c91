"""The whole program under faults: `faultline serve` against one small server that a test slows down or breaks."""

from __future__ import annotations

import http.server
import re
import sqlite3
import threading
import urllib.error
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Program, until

JOURNEY = """\
name: {name}
title: Read {name}
steps:
  - {{title: Read it, request: {{url: /{name}}}, expect: {{status: 200}}}}
"""


class Site(http.server.ThreadingHTTPServer):
    """Answers every path; while ``hold`` is clear, answers wait; paths in ``broken`` get a 503.

    With ``echo`` it sends everything back that it was sent, as a site with a debugging page does.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.hold = threading.Event()
        self.hold.set()
        self.broken: set[str] = set()
        self.echo = False
        self.visits: list[list[str]] = []
        self.waiting = 0
        self.answered = 0
        self.counting = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are the point of these tests."""


class Visit(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        with self.server.counting:
            self.server.waiting += 1
        self.server.hold.wait(60)
        with self.server.counting:
            self.server.waiting -= 1
            self.server.answered += 1
        path = self.path.partition("?")[0].strip("/")
        body = b"<form><input id=password type=password></form>" if path == "form" else b"ok"
        self.send_response(503 if path in self.server.broken else 200)
        if self.server.echo:
            self.server.visits.append(list(self.headers))
            body += f"<pre>{self.path}\n{self.headers}</pre>".encode()
            self.send_header("Location", self.path)
            self.send_header("Set-Cookie", self.headers.get("Cookie", "none=1"))
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        yield site
        site.hold.set()
        site.shutdown()
        thread.join()


class Place(Program):
    """A program in a folder with journeys of one request each."""

    def configure(
        self, site: Site, names: Sequence[str], *, every: str = "1s", extra: str = "", data: str = "data"
    ) -> None:
        """Write a configuration with one check for each name, and reload nothing."""
        journeys = self.folder / "journeys"
        journeys.mkdir(exist_ok=True)
        for name in names:
            (journeys / f"{name}.yaml").write_text(JOURNEY.format(name=name))
        checks = "".join(f"  - {{journey: {name}, every: {every}}}\n" for name in names)
        (self.folder / "monitor.yaml").write_text(
            f"location: lab\njourneys: journeys\nstorage: {{directory: data}}\n"
            f'targets: {{site: {{base_url: "{site.url}", concurrency: 1000}}}}\n'
            f"defaults: {{target: site, deadline: {every}, attempts: 1}}\nchecks:\n{checks}{extra}"
        )

    def ready(self) -> None:
        until(lambda: self.get("/-/ready"), f"ready; the log says:\n{self.log.read_text()[-2000:]}")

    def slots(self) -> list[tuple[str, float, str, str | None]]:
        """Return check, moment, state and reason of every slot; the program may be running."""
        database = sqlite3.connect(f"file:{self.folder / 'data' / 'history.db'}?mode=ro", uri=True)
        try:
            rows = database.execute("select check_id, scheduled_at, state, reason from slots order by 2").fetchall()
        finally:
            database.close()
        return [(check, moment / 1e6, state, reason) for check, moment, state, reason in rows]

    def number(self, metric: str) -> float:
        """Return the sum over all series of a metric, or over those that its labels, a pattern, let through."""
        labels = "" if "{" in metric else "(?:{.*})?"
        found = re.findall(rf"^{metric}{labels} (\S+)$", self.get("/metrics"), re.MULTILINE)
        return sum(map(float, found))

    def health(self) -> tuple[bool, str]:
        """Say whether the program calls itself healthy, and what it says."""
        try:
            return True, self.get("/-/healthy")
        except urllib.error.HTTPError as error:
            with error:
                return False, error.read().decode()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()
