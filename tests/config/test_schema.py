from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from monitor.config.loading import load
from monitor.config.schema import FOLDER, schemas

DOCUMENTATION = Path("docs/configuration.md")


def keys_of(schema: dict[str, object]) -> Iterator[str]:
    for definition in [schema, *schema.get("$defs", {}).values()]:
        yield from definition.get("properties", {})


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schema_is_current(name: str):
    committed = (FOLDER / name).read_text("utf-8")
    assert committed == schemas()[name], "run: python -m monitor.config.schema"


@pytest.mark.parametrize("name", ["monitor", "ownership"])
def test_the_shipped_files_satisfy_their_schema_and_name_it(name: str):
    text = (FOLDER.parent / f"{name}.yaml").read_text("utf-8")
    assert text.startswith(f"# yaml-language-server: $schema=schema/{name}.schema.json\n")
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


def test_the_shipped_configuration_loads():
    settings = load(FOLDER.parent / "monitor.yaml", {})
    names = {check.name for check in (*settings.checks, *settings.refused)}
    assert {"checkout@shop/desktop", "login@shop/desktop", "api@shop-api/desktop"} <= names


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_key_is_documented(name: str):
    documentation = DOCUMENTATION.read_text("utf-8")
    undocumented = [key for key in keys_of(json.loads(schemas()[name])) if f"`{key}`" not in documentation]
    assert undocumented == []


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_key_is_described_to_editors(name: str):
    schema = json.loads(schemas()[name])
    for definition in [schema, *schema["$defs"].values()]:
        for key, value in definition["properties"].items():
            referred = schema["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
            assert value.get("description") or referred.get("description"), key
