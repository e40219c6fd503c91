"""The way into configuration: files in, settings or every problem out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from monitor.config.checks import Known, checks_from, maintenance_from
from monitor.config.draft import Draft, Unusable
from monitor.config.drills import drills_from
from monitor.config.expansion import expanded
from monitor.config.investigation_model import investigation_from
from monitor.config.metrics_model import metrics_from
from monitor.config.monitor_model import SYNONYMS, MonitorModel, Remainder
from monitor.config.notifications_model import notifications_from
from monitor.config.ownership_model import OwnershipModel, ownership_from, ownership_problems
from monitor.config.parts import DESKTOP, profile_from, storage_from, target_from, web_from, workers_from
from monitor.config.probe_model import probe_from
from monitor.config.secrets import Origin, unique
from monitor.config.settings import Settings
from monitor.config.tracing_model import tracing_from
from monitor.domain.profile import ClientProfile
from monitor.reading.document import Document
from monitor.reading.problem import Problem, ReadingError
from monitor.reading.reader import read
from monitor.reading.validation import examine

_LISTS = ("checks", "maintenance", "drills")
_MAPPINGS = ("profiles", "targets")
_ENTRY = re.compile(r"(checks|maintenance|drills)\[\d+\]|(profiles|targets)\.[^.\[]+")


class ConfigurationError(ReadingError):
    """The configuration cannot be used; ``problems`` holds everything that is wrong with it, sorted by place.

    ``salvaged`` is what could be made of the rest, only good for finding what else is wrong; ``None`` is nothing.
    """

    def __init__(self, problems: Iterable[Problem], salvaged: Settings | None = None) -> None:
        """Keep the problems, and what is left without them."""
        super().__init__(problems)
        self.salvaged = salvaged


def load(path: FilePath, environ: Mapping[str, str]) -> Settings:
    """Return what the configuration says. Raises ConfigurationError with every problem of all its files.

    A check whose secret or certificate authority cannot be had is no problem: it stands in ``Settings.refused``.
    """
    try:
        return _load(path, environ)
    except ConfigurationError:
        raise
    except ReadingError as error:
        raise ConfigurationError(error.problems) from error


def _load(path: FilePath, environ: Mapping[str, str]) -> Settings:
    document = expanded(read(path), environ)
    model, entries, problems = _salvaged(document)
    ownership, found = _ownership(path, model)
    problems += found
    if model is None:
        raise ConfigurationError(problems)
    draft = Draft(document=document, origin=Origin(environ=environ, folder=path.parent), problems=problems)
    settings = _settings(path, model, entries, ownership, draft)
    if draft.problems:
        raise ConfigurationError(draft.problems, settings)
    return settings


def _settings(
    path: FilePath,
    model: MonitorModel,
    entries: Mapping[str, tuple[int, ...]],
    ownership: OwnershipModel,
    draft: Draft,
) -> Settings:
    profiles: dict[str, ClientProfile | Unusable] = {DESKTOP.name: DESKTOP}
    profiles |= {name: profile_from(name, profile, draft) for name, profile in model.profiles.items()}
    targets = {name: target_from(name, target, draft) for name, target in model.targets.items()}
    known = Known(
        targets=targets,
        profiles=profiles,
        teams=tuple(ownership.teams),
        defaults=model.defaults,
        currency=model.business.currency,
    )
    made = checks_from(dict(zip(entries["checks"], model.checks, strict=True)), known, draft)
    windows = dict(zip(entries["maintenance"], model.maintenance, strict=True))
    return Settings(
        path=path,
        location=model.location,
        journeys=path.parent / model.journeys,
        checks=tuple(made.checks),
        refused=tuple(made.refused),
        ownership=ownership_from(ownership),
        maintenance=maintenance_from(windows, tuple(made.places), draft),
        drills=drills_from(dict(zip(entries["drills"], model.drills, strict=True)), made.places, draft),
        storage=storage_from(model.storage, draft),
        web=web_from(model.web, draft),
        workers=workers_from(model.workers),
        investigation=investigation_from(model.investigation, profiles, draft),
        probe=probe_from(model.probe, draft),
        tracing=tracing_from(model.tracing, draft),
        metrics=metrics_from(model.metrics),
        notifications=notifications_from(model.notifications, ownership.teams, draft),
        events_file=path.parent / model.events.file if model.events.file else None,
        currency=model.business.currency,
        profiles=tuple(profile for profile in profiles.values() if isinstance(profile, ClientProfile)),
        secrets=unique(draft.secrets),
        places=made.places,
    )


def _salvaged(document: Document) -> tuple[MonitorModel | None, dict[str, tuple[int, ...]], list[Problem]]:
    """Return the model without what has problems, so that the rest is still examined, and which entries are left."""
    model, problems = examine(document, MonitorModel, SYNONYMS)
    data = document.data if isinstance(document.data, dict) else {}
    kept = {section: tuple(range(len(_listed(data, section)))) for section in _LISTS}
    if model is not None or not data:
        return model, kept, problems
    hurt = {_entry(problem.path) for problem in problems}
    sound = {key: value for key, value in data.items() if key in MonitorModel.model_fields and key not in hurt}
    for section in _MAPPINGS:
        if isinstance(entries := sound.get(section), dict):
            sound[section] = {name: entry for name, entry in entries.items() if f"{section}.{name}" not in hurt}
    for section in _LISTS:
        kept[section] = tuple(index for index in kept[section] if f"{section}[{index}]" not in hurt)
        if section in sound:
            sound[section] = [_listed(data, section)[index] for index in kept[section]]
    model, _ = examine(dataclasses.replace(document, data=sound), Remainder)
    return model, kept, problems


def _listed(data: dict[str, object], section: str) -> list[object]:
    entries = data.get(section)
    return entries if isinstance(entries, list) else []


def _entry(path: str) -> str:
    """Return the part of a path that names a whole check, window, profile or target; else its first key."""
    found = _ENTRY.match(path)
    return found[0] if found else path.partition(".")[0].partition("[")[0]


def _ownership(path: FilePath, model: MonitorModel | None) -> tuple[OwnershipModel, list[Problem]]:
    written = model.ownership if model is not None else None
    file = path.parent / (written or "ownership.yaml")
    if written is None and not file.exists():
        return OwnershipModel(), []
    try:
        document = read(file)
    except ReadingError as error:
        return OwnershipModel(), list(error.problems)
    ownership, problems = examine(document, OwnershipModel)
    if ownership is None:
        return OwnershipModel(), problems
    targets = [] if model is None else [urlsplit(target.base_url).hostname or "" for target in model.targets.values()]
    return ownership, [*problems, *ownership_problems(ownership, document, targets)]
