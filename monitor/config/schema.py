"""JSON Schemas for editors, made from the models. ``python -m monitor.config.schema`` writes them anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from monitor.config.monitor_model import MonitorModel
from monitor.config.ownership_model import OwnershipModel

FOLDER = Path("config/schema")
_MODELS: Mapping[str, type[BaseModel]] = {"monitor": MonitorModel, "ownership": OwnershipModel}


def schemas() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    return {f"{name}.schema.json": _text(name, model) for name, model in _MODELS.items()}


def write(folder: Path) -> None:
    """Write the schema files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, "utf-8")


def _text(name: str, model: type[BaseModel]) -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="validation"),
        "title": f"{name}.yaml of Faultline",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write(FOLDER)
