"""Values that may come from the environment or a file, and what is wrong when they do not."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf, WithJsonSchema

from monitor.domain.secret import Secret
from monitor.reading.problem import quoted

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LARGEST = 65_536


class SecretUnavailable(Exception):  # noqa: N818 - it says what the secret is
    """A secret cannot be had; the message says why and what to do, and never what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value comes from: text in which ``${NAME}`` stands for an environment variable, or a file."""

    template: str = field(default="", repr=False)
    file: str | None = None

    @property
    def literal(self) -> bool:
        """Say whether the value stands in the configuration itself."""
        return self.file is None and not references(self.template)


def parse_source(value: object) -> Source:
    """Return what a value in the file refers to. Raises ValueError, without the value."""
    match value:
        case str():
            check_template(value)
            return Source(template=value)
        case int() if not isinstance(value, bool):
            return Source(template=str(value))
        case {"file": str(file), **rest} if not rest and file:
            return Source(file=file)
        case _:
            msg = "must be text in quotes, ${NAME} for an environment variable, or {file: path}"
            raise ValueError(msg)


def parse_secret_source(value: object) -> Source:
    """Return what a secret in the file refers to. Raises ValueError where the secret itself stands there."""
    source = parse_source(value)
    if source.literal:
        msg = "a secret must not stand in this file; write ${NAME} for an environment variable, or {file: path}"
        raise ValueError(msg)
    return source


def references(template: str) -> tuple[str, ...]:
    """Return the names of the environment variables that a text refers to."""
    return tuple(found[1] for found in _REFERENCE.finditer(template) if found[1])


def check_template(template: str) -> None:
    """Raise ValueError where a ``${`` starts no reference."""
    if "${" in _REFERENCE.sub("", template):
        msg = (
            "'${' starts no reference; write ${NAME} with letters, digits and '_', or $${ for the characters themselves"
        )
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where sources are looked up: the environment, and the folder that file names are relative to."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path


def resolve(source: Source, name: str, origin: Origin) -> tuple[Secret, ...]:
    """Return the value as a secret called ``name``, followed by the secret parts that it is made of.

    Raises SecretUnavailable where it is missing, empty or not what its author can have meant.
    """
    if source.file is not None:
        return (Secret(name, _from_file(origin.folder / source.file, source.file)),)
    parts = {variable: _from_environment(variable, origin.environ) for variable in references(source.template)}
    whole = Secret(name, fill(source.template, parts))
    return (whole, *(Secret(variable, value) for variable, value in parts.items() if value != whole.value))


def fill(template: str, variables: Mapping[str, str]) -> str:
    """Return the text with each reference replaced, and ``$${`` made ``${``."""
    return _REFERENCE.sub(lambda found: variables[found[1]] if found[1] else "${", template)


def from_environment(template: str, environ: Mapping[str, str]) -> str:
    """Return plain text with its references replaced. Raises SecretUnavailable where one is missing or empty."""
    return fill(template, {name: _from_environment(name, environ) for name in references(template)})


def _from_environment(variable: str, environ: Mapping[str, str]) -> str:
    value = environ.get(variable)
    if value is None:
        msg = f"the environment variable {variable} is not set; set it before the start"
        raise SecretUnavailable(msg)
    return _sound(value, f"the environment variable {variable}")


def _from_file(path: Path, written: str) -> str:
    title = f"the file {quoted(written)}"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{title} is not a file; name a file that holds only the secret"
            raise SecretUnavailable(msg)
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its name cannot be a file's"
        msg = f"{title} cannot be read: {why}"
        raise SecretUnavailable(msg) from error
    if len(content) > _LARGEST:
        msg = f"{title} is larger than {_LARGEST // 1024} KiB; name a file that holds only the secret"
        raise SecretUnavailable(msg)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        msg = f"{title} is not UTF-8 text; save it as such"
        raise SecretUnavailable(msg) from None  # the exception holds the content
    return _sound(text.removesuffix("\n"), title)


def _sound(value: str, title: str) -> str:
    if not value.strip():
        msg = f"{title} is empty; give it a value"
        raise SecretUnavailable(msg)
    if "\r" in value:
        msg = f"{title} holds a carriage return; save it without Windows line endings"
        raise SecretUnavailable(msg)
    if "\0" in value:
        msg = f"{title} holds a NUL character; give it a text"
        raise SecretUnavailable(msg)
    return value


def unique(secrets: Iterable[Secret]) -> tuple[Secret, ...]:
    """Return each secret once, in order."""
    return tuple(dict.fromkeys(secrets))


_FILE_SCHEMA = {
    "type": "object",
    "properties": {"file": {"type": "string", "description": "A file that holds only the value."}},
    "required": ["file"],
    "additionalProperties": False,
}
_REFERENCE_SCHEMA = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}

Value = Annotated[
    InstanceOf[Source],
    BeforeValidator(parse_source),
    WithJsonSchema({"anyOf": [{"type": ["string", "integer"]}, _FILE_SCHEMA]}),
]
SecretValue = Annotated[
    InstanceOf[Source],
    BeforeValidator(parse_secret_source),
    WithJsonSchema({"anyOf": [_REFERENCE_SCHEMA, _FILE_SCHEMA]}),
]
