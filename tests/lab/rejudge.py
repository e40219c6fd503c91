"""Judges the stored evidence of a lab run again by today's rules: ``python -m tests.lab --rejudge``."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.config.loading import load
from monitor.diagnosis.context import context_for
from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import Names, load_names
from monitor.domain.evidence import Evidence
from monitor.domain.run import Run
from monitor.execution.wire import Codec
from monitor.publishing.run_json import to_json
from tests.lab.decisive import found
from tests.lab.manifest import manifest_of
from tests.lab.world.world import World

CONFIGURATION = ("monitor.yaml", "ownership.yaml", "ca.pem", "password")


def keep(line: dict[str, Any], folder: Path) -> None:
    """Take evidence and configuration out of a case's line, and store them below ``folder`` to be judged again."""
    evidence, configuration = line.pop("evidence", None), line.pop("configuration", None)
    if evidence is None or configuration is None:
        return
    place = folder / f"{line['scenario']}-{line['seed']}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "evidence.msgpack").write_bytes(base64.b64decode(evidence))
    for name, text in configuration.items():
        (place / name).write_text(text, encoding="utf-8")


def rejudged(line: Mapping[str, Any], folder: Path, names: Names) -> dict[str, Any]:
    """Return a case's line with what today's rules say; as it is where nothing of it is stored."""
    place = folder / f"{line['scenario']}-{line['seed']}"
    if not (place / "evidence.msgpack").exists():
        return dict(line)
    evidence = Codec().decode((place / "evidence.msgpack").read_bytes(), Evidence)
    settings = load(place / "monitor.yaml", {})
    check = settings.checks[line.get("check", 0)]
    run = Run(
        run_id="",
        check=check,
        location=settings.location,
        scheduled_at=evidence.started_at,
        evidence=evidence,
        judgement=judge(evidence, context_for(check, settings.ownership, names)),
    )
    told = {"run": to_json(run), "cited_hosts": cited_hosts(run)}
    return dict(line) | {"said": said(told["run"]), "decisive_found": _decisive(line, evidence, told)}


def rejudge_all(runs: Path) -> list[dict[str, Any]]:
    """Judge every case of a file of results again, and write the file anew. Raises OSError where there is none."""
    names = load_names()
    lines = [json.loads(text) for text in runs.read_text().splitlines() if text]
    anew = [rejudged(line, runs.parent / "evidence", names) if line.get("said") else line for line in lines]
    runs.write_text("".join(json.dumps(line) + "\n" for line in anew))
    return anew


def said(run: Mapping[str, Any]) -> dict[str, str]:
    """Return what a run says of itself, as the scoring reads it."""
    diagnosis = run["diagnosis"] or {}
    return {
        "outcome": run["outcome"],
        "validity": run["validity"],
        "detail": diagnosis.get("detail", ""),
        "culprit": (diagnosis.get("culprit") or {}).get("name") or "",
        "confidence": diagnosis.get("confidence", "none"),
        "rule": diagnosis.get("rule", ""),
        "because": diagnosis.get("because", ""),
    }


def cited_hosts(run: Run) -> list[str]:
    """Return the hosts of the exchanges on which a diagnosis rests."""
    diagnosis = run.judgement.diagnosis
    return [] if diagnosis is None else [one.host for one in run.evidence.exchanges if one.id in diagnosis.exchanges]


def _decisive(line: Mapping[str, Any], evidence: Evidence, told: Mapping[str, Any]) -> bool | None:
    manifest = manifest_of(line["scenario"])
    if not manifest.decisive:
        return None
    with tempfile.TemporaryDirectory() as folder:
        world = World(
            manifest, line["seed"], Path(folder), privileged=line.get("privileged", True), block=line.get("block", 0)
        )
    return found(manifest.decisive, evidence, dict(told), world)
