"""The compose file, held against the compose specification and against what a hardened container needs."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, object]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_follows_the_compose_specification(compose):
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []


def test_all_four_services_and_the_shop_are_there(compose):
    assert set(compose["services"]) == {"faultline", "shop", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize("name", ["faultline", "shop", "prometheus", "alertmanager", "grafana"])
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
