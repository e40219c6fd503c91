"""The committed dashboards are what the generator writes, and what Grafana's own types allow."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from grafana.src.writing import FOLDER, rendered, write
from tests.grafana.reading import ROOT, dashboards, panels
from tests.grafana.sdk_types import problems

COMMITTED = dashboards()
ALL = pytest.mark.parametrize("uid", COMMITTED)


def test_the_committed_dashboards_are_what_the_generator_writes():
    made = {FOLDER / path: text for path, text in rendered()}
    committed = {path: path.read_text() for path in FOLDER.rglob("*.json")}
    assert committed == made, "run make grafana and commit what it changed"


def test_generation_gives_the_same_text_each_time():
    assert list(rendered()) == list(rendered())


def test_a_dashboard_that_is_no_more_is_removed(tmp_path):
    stale = tmp_path / "Journeys" / "faultline-gone.json"
    other = tmp_path / "Journeys" / "of-somebody-else.json"
    stale.parent.mkdir()
    stale.write_text("{}")
    other.write_text("{}")
    assert {path.name for path in write(tmp_path)} == {f"{uid}.json" for uid in COMMITTED}
    assert not stale.exists()
    assert other.exists()


@ALL
def test_grafanas_own_types_allow_every_field(uid):
    assert problems(COMMITTED[uid]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda board: board.update(titel="x"), "Dashboard has no field titel"),
        (lambda board: board.update(graphTooltip=7), "7 is not a"),
        (lambda board: panels(board)[0]["options"].update(colorMode="rainbow"), "'rainbow' is not a"),
        (lambda board: panels(board)[0]["gridPos"].update(w="wide"), "'wide' is not a"),
        (lambda board: panels(board)[0]["targets"][0].update(exprs="up"), "Dataquery has no field exprs"),
        (lambda board: panels(board)[0]["fieldConfig"]["defaults"].update(mappings={}), "{} is not a list"),
    ],
)
def test_a_field_that_grafana_does_not_know_is_found(change, told):
    board = copy.deepcopy(COMMITTED["faultline-command-centre"])
    change(board)
    assert len(problems(board)) == 1
    assert told in problems(board)[0]


def test_every_dashboard_has_a_folder_and_a_file_of_its_own_name():
    for path in FOLDER.rglob("*.json"):
        assert path.stem in COMMITTED
        assert path.parent.parent == FOLDER


def test_what_is_provisioned_is_where_the_containers_mount_it():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    mounts = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"])
    provider = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/faultline.yaml").read_text())["providers"][0]
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert provider["options"]["foldersFromFilesStructure"] is True
    assert provider["allowUiUpdates"] is False


def test_exemplars_of_the_provisioned_source_lead_to_run_pages():
    source = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    links = source["jsonData"]["exemplarTraceIdDestinations"]
    assert [link["name"] for link in links if link.get("url", "").endswith("/runs/$${__value.raw}")] == ["run_id"]


def test_the_generator_is_no_part_of_what_grafana_mounts():
    assert {path.suffix for path in Path(FOLDER).rglob("*") if path.is_file()} == {".json"}
