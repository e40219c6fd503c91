"""The compose file, held against the compose specification and against what a hardened container needs."""

from __future__ import annotations

import graphlib
import importlib.resources
import json
import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
NAMES = ("faultline", "shop-authority", "shop", "prometheus", "alertmanager", "grafana")


@pytest.fixture(scope="module")
def compose() -> dict[str, object]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_follows_the_compose_specification(compose):
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []


def test_all_four_services_and_the_shop_with_its_authority_are_there(compose):
    assert set(compose["services"]) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_container_is_unprivileged_bounded_and_has_an_init(compose, name):
    service = compose["services"][name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["init"] is True
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))


def waited_for(service):
    """Return the services that one is started after: those it names, and the one whose network it shares."""
    shared = str(service.get("network_mode", "")).partition("service:")[2]
    return {*service.get("depends_on", ()), *([shared] if shared else [])}


def test_no_service_waits_for_one_that_waits_for_it(compose):
    graph = {name: waited_for(service) for name, service in compose["services"].items()}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order.index("shop-authority") < order.index("faultline") < order.index("shop")


def test_the_monitor_finds_the_authority_of_the_shop_where_its_configuration_looks(compose):
    monitor = compose["services"]["faultline"]
    config = PurePosixPath(option(compose, "faultline", "--config"))
    targets = yaml.safe_load((ROOT / "config" / "monitor.yaml").read_text())["targets"].values()
    (file,) = {os.path.normpath(config.parent / target["extra_ca"]) for target in targets}
    folder = str(PurePosixPath(file).parent)
    assert f"shop-data:{folder}:ro" in monitor["volumes"]
    for name in ("shop-authority", "shop"):
        assert option(compose, name, "--data") == folder
        assert compose["services"][name]["volumes"] == [f"shop-data:{folder}"]
        assert compose["services"][name]["user"] == monitor["user"]
    # A fresh volume takes over the owner that the folder has in the image.
    assert f"-o faultline -g faultline -m 0700 /var/lib/faultline {folder}\n" in (ROOT / "Dockerfile").read_text()


def test_the_control_page_listens_where_it_is_published(compose):
    assert "8470" in published(compose, "faultline")
    assert option(compose, "shop", "--control-address") == "0.0.0.0"


@pytest.mark.parametrize("name", ["faultline", "prometheus", "alertmanager", "grafana"])
def test_every_server_has_a_health_check(compose, name):
    assert compose["services"][name]["healthcheck"]["test"][0] == "CMD"


def test_chromium_has_shared_memory_and_may_make_its_sandbox(compose):
    service = compose["services"]["faultline"]
    assert service["shm_size"] == "1gb"
    denied = json.loads((ROOT / "config" / "seccomp.json").read_text())["syscalls"][0]["names"]
    assert not {"clone", "clone3", "unshare", "chroot"} & set(denied)
    assert {"mount", "bpf", "kexec_load", "ptrace"} - {"ptrace"} <= set(denied)


def test_the_image_is_built_without_root_and_without_setuid_files():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nUSER faultline\n" in dockerfile
    assert "chmod a-s" in dockerfile
    assert "--require-hashes" in dockerfile


def published(compose, name):
    """Return by container port where a service can be reached on this machine."""
    return {port.rpartition(":")[2]: port.rpartition(":")[0] for port in compose["services"][name]["ports"]}


def mounted(compose, name, inside):
    """Return the folder or file of the project that lies at a path of a container."""
    for volume in compose["services"][name]["volumes"]:
        source, target = volume.split(":")[:2]
        if source.startswith("./") and Path(inside).is_relative_to(target):
            return ROOT / source / Path(inside).relative_to(target)
    return pytest.fail(f"nothing of the project lies at {inside} in {name}")


def option(compose, name, wanted):
    """Return the value of an option on the command line of a service."""
    found = [word.partition("=")[2] for word in compose["services"][name]["command"] if word.startswith(f"{wanted}=")]
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def prometheus() -> dict[str, object]:
    return yaml.safe_load((ROOT / "config" / "prometheus" / "prometheus.yml").read_text())


def test_prometheus_finds_its_configuration_its_rules_and_its_password(compose, prometheus):
    config = mounted(compose, "prometheus", option(compose, "prometheus", "--config.file"))
    assert config == ROOT / "config" / "prometheus" / "prometheus.yml"
    for pattern in prometheus["rule_files"]:
        assert sorted(config.parent.glob(pattern)) == sorted((config.parent / "rules").iterdir())
    password = prometheus["scrape_configs"][0]["basic_auth"]["password_file"]
    assert Path(password).parent == Path("/run/secrets")
    assert Path(password).name in compose["services"]["prometheus"]["secrets"]


def test_prometheus_scrapes_the_monitor_under_its_name_port_and_user(compose, prometheus):
    (job,) = prometheus["scrape_configs"]
    # The alert on a monitor that is down looks for this name.
    assert job["job_name"] == "faultline"
    assert job["static_configs"] == [{"targets": ["faultline:9488"]}]
    assert option(compose, "faultline", "--listen").rpartition(":")[2] == "9488"
    assert job["basic_auth"]["username"] == option(compose, "faultline", "--username")
    assert job["basic_auth"]["password_file"] == option(compose, "faultline", "--password-file")


def test_alerts_go_to_the_alertmanager_that_is_there_with_the_shipped_routes(compose, prometheus):
    (group,) = prometheus["alerting"]["alertmanagers"]
    assert group["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    config = mounted(compose, "alertmanager", option(compose, "alertmanager", "--config.file"))
    assert config == ROOT / "config" / "alertmanager" / "alertmanager.yml"
    files = re.findall(r"url_file: (\S+)", config.read_text())
    assert files
    # Where the shipped example looks for an address of a notifier is a folder that is mounted and never committed.
    ignored = (ROOT / ".gitignore").read_text().split()
    for file in files:
        folder = mounted(compose, "alertmanager", file).parent.relative_to(ROOT)
        assert f"/{folder}/" in ignored


def test_grafana_finds_prometheus_the_dashboards_and_the_pages_of_runs(compose):
    provisioning = mounted(compose, "grafana", "/etc/grafana/provisioning")
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "faultline.yaml").read_text())["providers"]
    dashboards = mounted(compose, "grafana", provider["options"]["path"])
    assert len(list(dashboards.glob("*/*.json"))) == 9
    (link,) = source["jsonData"]["exemplarTraceIdDestinations"]
    assert link["url"].startswith(option(compose, "faultline", "--external-url") + "/runs/")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("faultline", "--external-url"), ("prometheus", "--web.external-url"), ("alertmanager", "--web.external-url")],
)
def test_links_lead_to_where_a_service_is_published(compose, name, wanted):
    address = urlsplit(option(compose, name, wanted))
    assert f"{address.hostname}:{address.port}" in published(compose, name).values()


def test_every_health_check_asks_the_port_that_its_service_listens_on(compose):
    for name, service in compose["services"].items():
        if "healthcheck" in service:
            (address,) = re.findall(r"http://127\.0\.0\.1:(\d+)/", " ".join(service["healthcheck"]["test"]))
            assert address in published(compose, name)
