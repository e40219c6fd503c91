"""Prometheus and Alertmanager beside a real monitor, with the shipped rules and routes and a faster clock."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import yaml

from tests import servers
from tests.end_to_end.hurried import hurried, hurried_routes, hurried_rules
from tests.end_to_end.pager import Pager, receivers_of

CONFIG = Path(__file__).parents[2] / "config"
# A second stands for a minute, and a minute for an hour.
FACTOR = 60
# Prometheus says again every minute that an alert fires, and Alertmanager believes it for four times that.
RESEND = f"--rules.alert.resend-delay={hurried('1m', FACTOR)}"


def write_prometheus(folder: Path, monitors: Sequence[str], alertmanager: str) -> Path:
    """Write the shipped rules, hurried, and a scrape of these monitors every second; return the configuration."""
    for path in sorted((CONFIG / "prometheus" / "rules").glob("*.yml")):
        target = folder / "rules" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(hurried_rules(path.read_text(), FACTOR), sort_keys=False))
    shipped = yaml.safe_load((CONFIG / "prometheus" / "prometheus.yml").read_text())
    job = {name: value for name, value in shipped["scrape_configs"][0].items() if name != "basic_auth"}
    config = {
        **shipped,
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{**job, "static_configs": [{"targets": list(monitors)}]}],
    }
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


@contextlib.contextmanager
def alertmanager(folder: Path, pager: Pager) -> Iterator[servers.Server]:
    """Run Alertmanager with the shipped routes, hurried, each receiver delivered to the pager."""
    shipped = CONFIG / "alertmanager" / "alertmanager.yml"
    pager.write_urls(folder / "urls", receivers_of(shipped))
    config = hurried_routes(shipped.read_text(), FACTOR, folder / "urls")
    with servers.alertmanager(folder, config) as running:
        yield running


@contextlib.asynccontextmanager
async def watching(
    folder: Path, monitor: str, alertmanager: str = "127.0.0.1:9", *, port: int = 0
) -> AsyncIterator[servers.Prometheus]:
    """Run Prometheus beside a monitor (``host:port``); again on the same folder and port it knows what it knew."""
    config = write_prometheus(folder, [monitor], alertmanager)
    with servers.prometheus(folder, config, port=port or None, arguments=(RESEND,)) as running:
        async with servers.Prometheus(running.url) as prometheus:
            yield prometheus
