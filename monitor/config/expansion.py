"""``${NAME}`` in plain text: only where a place differs from one machine to the next, and nothing is secret."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from monitor.config.secrets import SecretUnavailable, check_template, from_environment
from monitor.reading.document import Document
from monitor.reading.problem import Path, Problem

EXPANDED: tuple[tuple[str, ...], ...] = (
    ("location",),
    ("journeys",),
    ("storage", "directory"),
    ("web", "listen"),
    ("web", "external_url"),
    ("workers", "webhook_host"),
    ("workers", "webhook_url"),
    ("targets", "*", "base_url"),
)


def expanded(document: Document, environ: Mapping[str, str]) -> Document:
    """Return the document with references to the environment replaced where plain text may hold them."""
    problems: list[Problem] = []

    def fill(path: Path, text: str) -> str:
        try:
            check_template(text)
            return from_environment(text, environ)
        except (ValueError, SecretUnavailable) as error:
            problems.append(document.problem(path, str(error)))
            return text

    data = document.data
    for pattern in EXPANDED:
        data = _filled(data, pattern, (), fill)
    return dataclasses.replace(document, data=data, problems=(*document.problems, *problems))


def _filled(data: object, pattern: tuple[str, ...], path: Path, fill: Callable[[Path, str], str]) -> object:
    if not pattern:
        return fill(path, data) if isinstance(data, str) and "${" in data else data
    if not isinstance(data, dict):
        return data
    keys = tuple(data) if pattern[0] == "*" else pattern[:1]
    changed = {key: _filled(data[key], pattern[1:], (*path, key), fill) for key in keys if key in data}
    return {**data, **changed}
