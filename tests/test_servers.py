"""The servers that other tests stand on: they come up, answer, reload and are gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import servers

pytestmark = pytest.mark.slow

WEBHOOK = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


async def test_prometheus_answers_with_numbers_rules_targets_and_alerts(tmp_path: Path):
    rules = {"groups": [{"name": "g", "rules": [{"alert": "Always", "expr": "vector(1)"}]}]}
    (tmp_path / "rules.yml").write_text(str(rules))
    here = servers.free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "self", "static_configs": [{"targets": [f"127.0.0.1:{here}"]}]}],
    }
    with servers.prometheus(tmp_path, config, port=here) as running:
        async with servers.Prometheus(running.url) as prometheus:
            assert await prometheus.value("vector(2) * 21") == 42.0
            assert await prometheus.value("up == 17") is None
            assert [rule["name"] for rule in await prometheus.rules()] == ["Always"]
            assert await prometheus.become('up{job="self"}') == 1.0
            assert [target["labels"]["job"] for target in await prometheus.targets()] == ["self"]
            with pytest.raises(AssertionError, match="parse error"):
                await prometheus.query("rate(")
        running.reload()
    assert running.process.poll() is not None


def test_alertmanager_and_the_blackbox_exporter_come_up_and_go(tmp_path: Path):
    with (
        servers.alertmanager(tmp_path, WEBHOOK) as alertmanager,
        servers.blackbox_exporter(tmp_path, {"modules": {"http": {"prober": "http"}}}) as blackbox,
    ):
        assert "SUCCESS" in servers.amtool("check-config", tmp_path / "alertmanager.yml")
    assert alertmanager.process.poll() is not None
    assert blackbox.process.poll() is not None


def test_a_server_that_refuses_its_configuration_fails_the_test_with_its_own_words(tmp_path: Path):
    with pytest.raises(pytest.fail.Exception, match="no_such_field"), servers.prometheus(tmp_path, "no_such_field: 1"):
        pass


def test_a_missing_server_skips_with_the_remedy_and_fails_where_ci_is_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(servers, "_found", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"setup\.sh dev"):
        servers.binary("promtool")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"setup\.sh dev"):
        servers.binary("promtool")
