"""How a declarative HTTP journey is written: the shape of its file."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from monitor.journeys.jsonpath import JsonPath
from monitor.journeys.patterns import Pattern
from monitor.journeys.templates import is_name
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration
from monitor.reading.validation import FileModel

_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REFERENCE = re.compile(r"\$\{[^}]*\}")


def _kebab(value: str) -> str:
    if not _KEBAB.fullmatch(value):
        msg = f"{quoted(value)} is not in kebab-case; write add-to-basket"
        raise ValueError(msg)
    return value


def _value_name(value: str) -> str:
    if not is_name(value):
        msg = f"{quoted(value)} cannot name a value; write small letters, digits and _, such as order_id"
        raise ValueError(msg)
    return value


def _pattern(value: str) -> str:
    Pattern(_REFERENCE.sub("x", value))
    return value


def _path(value: str) -> str:
    JsonPath.parse(value)
    return value


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        msg = f"{quoted(value)} is not the name of a header; write content-type"
        raise ValueError(msg)
    return value


def _url(value: str) -> str:
    if not value.startswith(("/", "http://", "https://", "${")):
        msg = f"{quoted(value)} must begin with / for a path of the target, or with https://"
        raise ValueError(msg)
    return value


Kebab = Annotated[str, Field(max_length=60), AfterValidator(_kebab)]
ValueName = Annotated[str, Field(max_length=40), AfterValidator(_value_name)]
Regex = Annotated[str, AfterValidator(_pattern)]
Path = Annotated[str, AfterValidator(_path)]
HeaderName = Annotated[str, AfterValidator(_header)]
RequestUrl = Annotated[str, Field(max_length=4000), AfterValidator(_url)]
Scalar = str | int | float | bool
Status = Annotated[int, Field(ge=100, le=599)]


class Request(FileModel):
    """What is sent. At most one of ``json``, ``form`` and ``body``."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    url: RequestUrl
    query: dict[str, Scalar] = Field(default_factory=dict)
    headers: dict[HeaderName, str] = Field(default_factory=dict)
    json_body: JsonValue = Field(default=None, alias="json")
    form: dict[str, Scalar] | None = None
    body: str | None = None
    follow_redirects: bool = True

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        given = self.model_fields_set & {"json_body", "form", "body"}
        if len(given) > 1:
            msg = "gives more than one of 'json', 'form' and 'body'; keep one"
            raise ValueError(msg)
        return self


class ValueExpected(FileModel):
    """What is expected of one value; everything that is given must hold."""

    equals: JsonValue = None
    contains: JsonValue = None
    matches: Regex | None = None
    at_least: float | None = None
    at_most: float | None = None
    length: int | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            msg = "must say what is expected: equals, contains, matches, at_least, at_most or length"
            raise ValueError(msg)
        return self


class HeaderExpected(FileModel):
    """What is expected of a header; everything that is given must hold."""

    contains: str | None = None
    matches: Regex | None = None
    absent: bool = False


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _value_expected(value: object) -> object:
    return value if isinstance(value, dict) else {"equals": value}


def _header_expected(value: object) -> object:
    return value if isinstance(value, dict) else {"contains": value}


# A single entry, or the plain thing that is expected, is written without the list or mapping around it.
Texts = Annotated[list[str], BeforeValidator(_several)]
Regexes = Annotated[list[Regex], BeforeValidator(_several)]
Statuses = Annotated[list[Status], Field(min_length=1), BeforeValidator(_several)]
OfHeader = Annotated[HeaderExpected, BeforeValidator(_header_expected)]
OfValue = Annotated[ValueExpected, BeforeValidator(_value_expected)]


class Expected(FileModel):
    """What must be true of an answer. Without ``status``, any below 400 will do."""

    status: Statuses | None = None
    headers: dict[HeaderName, OfHeader] = Field(default_factory=dict)
    text: Texts = Field(default_factory=list)
    no_text: Texts = Field(default_factory=list)
    matches: Regexes = Field(default_factory=list)
    json_values: dict[Path, OfValue] = Field(default_factory=dict, alias="json")
    within: Duration | None = None
    certificate_days_left: float | None = Field(default=None, ge=0)


class Taken(FileModel):
    """Where a value is taken from: exactly one of these."""

    json_path: Path | None = Field(default=None, alias="json")
    header: HeaderName | None = None
    cookie: str | None = None
    body: Regex | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_fields_set) != 1:
            msg = "must have exactly one of 'json', 'header', 'cookie' and 'body'"
            raise ValueError(msg)
        return self


class Until(FileModel):
    """How long, and how often, a request is sent again until all that is expected holds."""

    within: Duration
    every: Duration = Field(default="1s", validate_default=True)


class Receive(FileModel):
    """A wait for a webhook that an earlier step opened."""

    webhook: ValueName
    within: Duration


class DeclaredStep(FileModel):
    """One step: a request, or a wait for a webhook."""

    title: str = Field(min_length=1, max_length=120)
    name: Kebab | None = None
    capability: str | None = None
    budget: Duration | None = None
    effects: bool = False
    webhook: ValueName | None = None
    request: Request | None = None
    receive: Receive | None = None
    expect: Expected = Expected()
    take: dict[ValueName, Taken] = Field(default_factory=dict)
    until: Until | None = None

    @property
    def step_name(self) -> str:
        """Return the name, made of the title where none is given."""
        return self.name or re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problem = self._problem()
        if problem:
            raise ValueError(problem)
        return self

    def _problem(self) -> str | None:
        if (self.request is None) == (self.receive is None):
            return "must have either 'request' or 'receive'"
        if not _KEBAB.fullmatch(self.step_name):
            return f"no name can be made of the title {quoted(self.title)}; give the step a 'name'"
        if self.until is not None and self.receive is not None:
            return "a webhook is waited for by 'receive: within'; leave out 'until'"
        if self.until is not None and self.effects:
            return "a step with effects is sent once only; poll for what came of it in a step of its own"
        return self._unfit_for_webhook() if self.receive is not None else None

    def _unfit_for_webhook(self) -> str | None:
        unfit = self.expect.model_fields_set & {"status", "within", "certificate_days_left"}
        if unfit:
            return f"'{min(unfit)}' cannot be expected of a webhook, which is no answer; leave it out"
        if any("cookie" in taken.model_fields_set for taken in self.take.values()):
            return "a webhook brings no cookies; take from json, header or body"
        return None


class DeclaredJourney(FileModel):
    """A whole file."""

    name: Kebab
    title: str = Field(min_length=1, max_length=120)
    description: str = ""
    budget: Duration | None = None
    parameters: list[ValueName] = Field(default_factory=list)
    steps: list[DeclaredStep] = Field(min_length=1, max_length=100)
