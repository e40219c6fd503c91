"""Puts pydantic models on documents, and says what does not fit in words and places of the file."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

from monitor.reading.document import Document
from monitor.reading.problem import Path, Problem, ReadingError, quoted
from monitor.reading.suggestion import did_you_mean

M = TypeVar("M", bound=BaseModel)
_NO_SYNONYMS: Mapping[str, str] = types.MappingProxyType({})


class FileModel(BaseModel):
    """A mapping in a file: unknown keys are refused, and nothing is converted behind the writer's back."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def validate(document: Document, model: type[M], synonyms: Mapping[str, str] = _NO_SYNONYMS) -> M:
    """Return the document as the model has it. Raises ReadingError with everything that is wrong with it.

    ``synonyms`` maps words that people may know from elsewhere to ours, for the sake of good advice.
    """
    value, problems = examine(document, model, synonyms)
    if problems or value is None:
        raise ReadingError(problems)
    return value


def examine(
    document: Document,
    model: type[M],
    synonyms: Mapping[str, str] = _NO_SYNONYMS,
) -> tuple[M | None, list[Problem]]:
    """Return the document as the model has it, or ``None``, and all problems, those of reading included."""
    if document.data is None:
        return None, [*document.problems, document.problem((), "the file is empty; see docs/configuration.md")]
    try:
        return model.model_validate(document.data), list(document.problems)
    except pydantic.ValidationError as error:
        return None, _merge(document, error, model, synonyms)


def _merge(
    document: Document,
    error: pydantic.ValidationError,
    model: type[BaseModel],
    synonyms: Mapping[str, str],
) -> list[Problem]:
    known = {problem.path for problem in document.problems}
    found = [_problem(document, detail, model, synonyms) for detail in error.errors(include_url=False)]
    # What was refused while reading has already been explained, in better words than the model's.
    return [*document.problems, *(problem for problem in found if problem.path not in known or not problem.path)]


def _problem(
    document: Document,
    detail: ErrorDetails,
    model: type[BaseModel],
    synonyms: Mapping[str, str],
) -> Problem:
    location: Path = detail["loc"]
    kind = detail["type"]
    if kind == "missing":
        return document.problem(document.existing(location[:-1]), f"'{location[-1]}' is missing")
    if kind == "extra_forbidden":
        where, key = document.existing(location[:-1]), str(location[-1])
        hint = did_you_mean(key, known_keys(model, location[:-1]), synonyms)
        return document.problem((*where, key), f"unknown key{hint}", at_key=True)
    path = document.existing(location)
    if location and location[-1] == "[key]":
        return document.problem(path, _message(detail), at_key=True)
    return document.problem(path, _message(detail))


def _message(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    if detail["type"] == "literal_error":
        return _not_one_of(detail["input"], str(context["expected"]))
    explain = _MESSAGES.get(detail["type"])
    return explain(context) if explain else detail["msg"].lower()


def _not_one_of(given: object, expected: str) -> str:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    return f"{quoted(given)} is not one of {', '.join(words)}{did_you_mean(str(given), words)}"


def _as_share(bound: float) -> str:
    return "; write 99.9 % as 0.999" if bound == 1 else ""


_MESSAGES: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "string_type": lambda _: "must be text; put quotes around it",
    "int_type": lambda _: "must be a whole number, without quotes",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number, without quotes",
    "bool_type": lambda _: "must be true or false, without quotes",
    "dict_type": lambda _: "must be a mapping: 'key: value', one on a line",
    "model_type": lambda _: "must be a mapping: 'key: value', one on a line",
    "list_type": lambda _: "must be a list: '- item', one on a line",
    "too_short": lambda _: "must not be empty",
    "string_too_short": lambda _: "must not be empty",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "string_too_long": lambda context: f"must be at most {context['max_length']} characters long",
    "greater_than": lambda context: f"must be more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']:g}",
    "less_than": lambda context: f"must be less than {context['lt']:g}{_as_share(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {context['le']:g}",
}


def known_keys(model: type[BaseModel], location: Path) -> tuple[str, ...]:
    """Return the keys that the model allows at a location."""
    candidates: list[Any] = [model]
    for part in location:
        inner = [found for candidate in candidates for found in _inside(candidate, part)]
        candidates = inner or candidates
    return tuple(name for candidate in candidates for name in _keys(candidate))


def _keys(annotation: Any) -> Iterator[str]:
    for plain in _plain(annotation):
        if isinstance(plain, type) and issubclass(plain, BaseModel):
            yield from (field.alias or name for name, field in plain.model_fields.items())


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:
    for plain in _plain(annotation):
        origin, arguments = typing.get_origin(plain), typing.get_args(plain)
        if isinstance(plain, type) and issubclass(plain, BaseModel):
            fields = plain.model_fields
            yield from (field.annotation for name, field in fields.items() if part in {name, field.alias})
        elif origin is dict and isinstance(part, str):
            yield arguments[1]
        elif origin in {list, tuple} and isinstance(part, int):
            yield arguments[0]


def _plain(annotation: Any) -> Iterator[Any]:
    """Yield the annotation without ``Annotated``, and each member of a union."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        yield from _plain(typing.get_args(annotation)[0])
    elif origin in {typing.Union, types.UnionType}:
        for argument in typing.get_args(annotation):
            yield from _plain(argument)
    else:
        yield annotation
