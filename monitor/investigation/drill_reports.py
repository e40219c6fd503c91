"""Keeps what drills found, one file for each check, and tells which dependencies are new."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.investigation.drill import Dependency, DrillReport, Finding, TrialResult

SCHEMA = "faultline.drill/v1"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a check's drills.

    Attributes:
        hard: Names of the third parties whose trouble alone can stop the journey, each with why.
        new: Those among them that were none at the drill before; empty where there was no drill before.
    """

    check: str
    at: dt.datetime
    hard: Mapping[str, str]
    new: tuple[str, ...] = ()


class DrillReports:
    """Files below the data directory; each method may wait for the disk: use a thread."""

    def __init__(self, directory: Path) -> None:
        """Keep everything below ``directory/drills``."""
        self._folder = directory / "drills"

    def keep(self, report: DrillReport) -> Known:
        """Write a report in place of the one before, and return what is new in it. Raises OSError."""
        before = self.last(report.check)
        hard = {one.supplier.name: one.why for one in report.single_points}
        new = tuple(name for name in hard if before is not None and name not in before.hard)
        data = {**as_data(report), "new": list(new)}
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(report.check)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
        part.chmod(0o600)
        part.replace(path)
        return Known(check=report.check, at=report.at, hard=hard, new=new)

    def last(self, check: str) -> Known | None:
        """Return what the last drill of a check found, or ``None`` where there was none or it cannot be read."""
        return _known(self._path(check))

    def all_of_them(self) -> tuple[Known, ...]:
        """Return what the last drill of each check found."""
        try:
            paths = sorted(self._folder.glob("*.json"))
        except OSError:
            return ()
        return tuple(known for path in paths if (known := _known(path)) is not None)

    def _path(self, check: str) -> Path:
        return self._folder / f"{_UNSAFE.sub('-', check)}.json"


def as_data(report: DrillReport) -> dict[str, Any]:
    """Return a report as plain data."""
    return {
        "schema": SCHEMA,
        "check": report.check,
        "at": report.at.isoformat(),
        "steps": list(report.steps),
        "stopped_before": report.until,
        "delay_seconds": report.delay,
        "clean_seconds": round(report.clean_seconds, 3),
        "doubt": report.doubt,
        "third_parties": [_finding_data(one) for one in report.findings],
    }


def _finding_data(one: Finding) -> dict[str, Any]:
    return {
        "name": one.supplier.name,
        "hosts": list(one.supplier.hosts),
        "steps": list(one.supplier.steps),
        "requests": one.supplier.requests,
        "dependency": one.dependency.value,
        "single_point_of_failure": one.dependency.is_single_point_of_failure,
        "why": one.why,
        "trials": [_trial_data(result) for result in one.trials],
    }


def _trial_data(result: TrialResult) -> dict[str, Any]:
    return {
        "kind": result.kind.value,
        "outcome": result.outcome.value,
        "duration_seconds": round(result.duration, 3),
        "slower_by_seconds": round(result.slower_by, 3),
        "failed_step": result.failed_step,
        "error": result.error,
        "over_budget": list(result.over_budget),
        "note": result.note,
    }


def _known(path: Path) -> Known | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        hard = {
            one["name"]: one["why"]
            for one in data["third_parties"]
            if Dependency(one["dependency"]).is_single_point_of_failure
        }
        return Known(
            check=data["check"], at=dt.datetime.fromisoformat(data["at"]), hard=hard, new=tuple(data.get("new", ()))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
