"""What docs/monitoring.md tells to copy is good for the servers that it is copied to."""

from __future__ import annotations

import re
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests import servers

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "monitoring.md"

pytestmark = pytest.mark.slow


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    lines = [line.partition("  #")[0].split() for block in blocks("sh") for line in block.splitlines()]
    return [words for words in lines if words and program in words[:2]]


def test_the_scrape_job_and_the_rules_are_a_configuration_of_prometheus(tmp_path: Path):
    scrape, _, _ = blocks("yaml")
    (install,) = [words for words in commands("install") if "rules" in " ".join(words)]
    (tmp_path / "rules").mkdir()
    for path in ROOT.glob(install[-1]):
        shutil.copy(path, tmp_path / "rules")
    (tmp_path / "prometheus.yml").write_text(scrape)
    said = servers.promtool("check", "config", tmp_path / "prometheus.yml")
    assert said.count("rules found") == len(list((ROOT / "config" / "prometheus" / "rules").iterdir()))
    (job,) = yaml.safe_load(scrape)["scrape_configs"]
    (shipped,) = yaml.safe_load((ROOT / "config" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert job["job_name"] == shipped["job_name"]
    assert job["honor_labels"] is shipped["honor_labels"] is True


def test_the_operator_keeps_the_labels_too_and_the_name_of_the_job():
    _, monitor, _ = blocks("yaml")
    spec = yaml.safe_load(monitor)["spec"]
    assert [endpoint["honorLabels"] for endpoint in spec["endpoints"]] == [True]
    assert spec["selector"]["matchLabels"][spec["jobLabel"]] == "faultline"


def test_a_notifier_below_the_name_of_a_receiver_is_good_and_the_routes_are_as_it_says(tmp_path: Path):
    _, _, notifier = blocks("yaml")
    (shown,) = yaml.safe_load(notifier)["receivers"]
    config = yaml.safe_load((ROOT / "config" / "alertmanager" / "alertmanager.yml").read_text())
    place = [each["name"] for each in config["receivers"]].index(shown["name"])
    config["receivers"][place] = shown
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    servers.amtool("check-config", path)
    (asked,) = [words for words in commands("amtool") if "routes" in words]
    labels = [word for word in asked if "=" in word and not word.startswith("--")]
    said = servers.amtool("config", "routes", "test", f"--config.file={path}", *labels)
    assert "payments-pager" in said.split()
    assert f"The second command answers `{shown['name']}`." in GUIDE.read_text()


def test_all_that_is_copied_is_there():
    sources = [word for words in commands("install") + commands("cp") for word in words if "/" in word]
    ours = [word for word in sources if not word.startswith("/")]
    assert len(ours) >= 4
    assert [word for word in ours if not list(ROOT.glob(word.removesuffix("/.")))] == []


def test_every_receiver_that_is_named_exists():
    config = yaml.safe_load((ROOT / "config" / "alertmanager" / "alertmanager.yml").read_text())
    names = {each["name"] for each in config["receivers"]}
    table = GUIDE.read_text().partition("## See it work")[2]
    told = set(re.findall(r"`([a-z-]+-(?:pager|chat|switch))`", table))
    assert told
    assert told <= names


async def test_the_service_of_a_journey_survives_a_target_with_a_label_of_that_name(tmp_path: Path):
    class Exporter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b'faultline_journey_info{journey="checkout",service="checkout"} 1\n')

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    (job,) = yaml.safe_load(blocks("yaml")[0])["scrape_configs"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        target = {"targets": [f"127.0.0.1:{server.server_port}"], "labels": {"service": "of-kubernetes"}}
        config = {
            "scrape_configs": [{**job, "scrape_interval": "1s", "scrape_timeout": "1s", "static_configs": [target]}]
        }
        with servers.prometheus(tmp_path, config) as running:
            async with servers.Prometheus(running.url) as prometheus:
                assert await prometheus.become('faultline_journey_info{service="checkout"}') == 1.0
                assert await prometheus.become('up{service="of-kubernetes"}') == 1.0
        server.shutdown()
