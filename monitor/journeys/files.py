"""The files of a folder of journeys, and what stands in each."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from monitor.domain.journey import Journey, JourneyOutline, JourneyProblem, StepOutline
from monitor.journeys.authoring import JourneyError
from monitor.journeys.declarative import read_journey
from monitor.journeys.looking import BUILTIN, built_in
from monitor.reading.problem import ReadingError

_YAML = frozenset({".yaml", ".yml"})
_SUFFIXES = _YAML | {".py"}


class UnusableFileError(Exception):
    """No journey can be had from a file; ``problems`` says why."""

    def __init__(self, *problems: JourneyProblem) -> None:
        """Keep the problems."""
        super().__init__("; ".join(f"{_place(problem)}: {problem.message}" for problem in problems))
        self.problems = problems


class JourneyFolder:
    """Loads journeys by name, each file at most once. Only processes that may run foreign code use it."""

    def __init__(self, folder: Path) -> None:
        """Say where the journeys are."""
        self._folder = folder
        self._loaded: dict[str, tuple[Journey, ...]] = {}

    def load(self, name: str, source: str = "") -> Journey:
        """Return the journey of that name. Raises UnusableFileError.

        ``source`` is what the journey's outline says of its file. Without it, files are loaded one after the other
        until the journey is found. A journey that is built in stands in no file, and is had by its source alone.
        """
        if source == BUILTIN:
            return _built_in(name)
        wanted = [self._folder / Path(source).name] if source else journey_files(self._folder)
        problems: list[JourneyProblem] = []
        for path in wanted:
            try:
                journeys = self._journeys(path)
            except UnusableFileError as error:
                problems += error.problems
                continue
            for journey in journeys:
                if journey.name == name:
                    return journey
        missing = JourneyProblem(source=source or self._folder.name, message=f"there is no journey '{name}'")
        raise UnusableFileError(*(problems or [missing]))

    def _journeys(self, path: Path) -> tuple[Journey, ...]:
        if path.name not in self._loaded:
            self._loaded[path.name] = journeys_of(path)
        return self._loaded[path.name]


def _built_in(name: str) -> Journey:
    journey = built_in(name)
    if journey is None:
        raise UnusableFileError(JourneyProblem(source=BUILTIN, message=f"no journey '{name}' is built in"))
    return journey


def load(folder: Path, name: str, source: str = "") -> Journey:
    """Return one journey of a folder. Raises UnusableFileError."""
    return JourneyFolder(folder).load(name, source)


def journey_files(folder: Path) -> list[Path]:
    """Return the files in which journeys are looked for: none in folders below, none that begins with ``_``."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in _SUFFIXES and not path.name.startswith(("_", ".")) and path.is_file()
    )


def is_declarative(path: Path) -> bool:
    """Say whether reading the file runs no code of its author's."""
    return path.suffix in _YAML


def source_of(path: Path) -> str:
    """Return how a file is called in outlines and problems."""
    return f"{path.parent.name}/{path.name}"


def journeys_of(path: Path) -> tuple[Journey, ...]:
    """Return the journeys of one file; a Python file is imported for it. Raises UnusableFileError."""
    if is_declarative(path):
        return (_declared(path),)
    found = tuple(_written(path))
    if not found:
        message = "no journey in it; assign Journey(…) to a name, or let the file's name begin with '_'"
        raise UnusableFileError(JourneyProblem(source=source_of(path), message=message))
    return found


def outline_of(journey: Journey) -> JourneyOutline:
    """Return what the main process may know of a journey."""
    steps = tuple(
        StepOutline(
            name=step.name, title=step.title, capability=step.capability, budget=step.budget, effects=step.effects
        )
        for step in journey.steps
    )
    return JourneyOutline(
        name=journey.name,
        title=journey.title,
        probe=journey.probe,
        steps=steps,
        description=journey.description,
        budget=journey.budget,
        declarative=journey.declarative,
        parameters=journey.parameters,
        source=journey.source,
    )


def _declared(path: Path) -> Journey:
    try:
        return dataclasses.replace(read_journey(path), source=source_of(path))
    except ReadingError as error:
        problems = [
            JourneyProblem(
                source=source_of(path),
                message=f"{problem.path}: {problem.message}" if problem.path else problem.message,
                line=problem.line,
                column=problem.column,
            )
            for problem in error.problems
        ]
        raise UnusableFileError(*problems) from None


def _written(path: Path) -> Iterator[Journey]:
    folder = str(path.parent)
    if folder not in sys.path:
        # Last, so that a file of the folder cannot take the place of a library that the engine needs.
        sys.path.append(folder)
    seen: set[int] = set()
    for value in vars(_imported(path)).values():
        if isinstance(value, Journey) and id(value) not in seen:
            seen.add(id(value))
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(Journey)}
            yield Journey(**{**fields, "source": source_of(path)})


def _imported(path: Path) -> object:
    name = f"checks.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnusableFileError(JourneyProblem(source=source_of(path), message="cannot be imported"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        del sys.modules[name]
        raise UnusableFileError(_problem(path, error)) from error
    return module


def _problem(path: Path, error: BaseException) -> JourneyProblem:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = frames[-1].lineno if frames else None
    match error:
        case JourneyError():
            line, message = error.line or line, str(error)
        case SyntaxError():
            line = error.lineno if error.filename == str(path) else line
            elsewhere = "" if error.filename == str(path) else f" in {error.filename}, line {error.lineno}"
            message = f"not valid Python: {error.msg}{elsewhere}"
        case SystemExit():
            message = (
                f"it ends the process when it is imported (exit status {error.code}); a module of journeys only defines"
            )
        case ModuleNotFoundError():
            message = f"{error}; shared code stands in 'pages/' and is imported as 'pages.…'"
        case _:
            message = f"importing it raised {type(error).__name__}: {error}"
    return JourneyProblem(source=source_of(path), message=message, line=line)


def _place(problem: JourneyProblem) -> str:
    return problem.source if problem.line is None else f"{problem.source}:{problem.line}"
