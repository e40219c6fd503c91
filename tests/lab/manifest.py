"""What a scenario says: the fault, where and when it is made, and what a correct classifier answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from monitor.domain.cause import Detail
from monitor.domain.experiment import ExperimentKind
from monitor.domain.outcome import Outcome, Validity
from tests.lab.vocabulary import ABILITIES, GROUPS, JOURNEYS, PARAMETERS, ROLES

SCENARIOS = Path(__file__).parent / "scenarios"
UNSEEN = Path(__file__).parent / "unseen"
"""Faults that the rules were not built on; never part of the published score."""

_MARK = "X"
_ID = re.compile(r"(?:X-)?([A-Z])[0-9]{2}")
_PREFIXES = {
    "O": "own",
    "T": "third_party",
    "C": "client",
    "P": "performance",
    "N": "negative",
    "U": "ambiguous",
    "M": "correlation",
    "Z": "blame",
    "B": "built last",
}


class ManifestError(ValueError):
    """A manifest says something that cannot be built; the message names the file, the place and the remedy."""


def listed(value: object) -> object:
    """Return one name as a list of it, and everything else as it is."""
    return [value] if isinstance(value, str | dict) else value


def check_role(value: str) -> str:
    """Return a role or a group of roles as it is. Raises ValueError for a word that stands for nobody."""
    if not value.startswith("@") or (value[1:] not in ROLES and value[1:] not in GROUPS):
        known = ", ".join(f"@{role}" for role in (*ROLES, *GROUPS))
        msg = f"{value!r} is no role; there are: {known}"
        raise ValueError(msg)
    return value


Role = Annotated[str, AfterValidator(check_role)]
Roles = Annotated[list[Role], BeforeValidator(listed), Field(min_length=1)]


class Strict(BaseModel):
    """A part of a manifest: no key is ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class When(Strict):
    """Which requests a fault touches; those that fit everything that is said."""

    method: Literal["GET", "POST"] | None = None
    headless: bool | None = Field(default=None, description="Only clients that call themselves a headless browser.")
    agent: str | None = Field(default=None, description="Only clients whose name for themselves holds this.")
    first: int | None = Field(default=None, ge=1, description="Only the first so many, counted from the fault's start.")
    after: int = Field(default=0, ge=0, description="Spare so many first.")
    every: int | None = Field(default=None, ge=2, description="Of each so many only the last one.")
    query: str | None = Field(default=None, description="Only where the query holds this.")
    body: str | None = Field(default=None, description="Only where what is sent holds this.")
    sender: Literal["@link"] | None = Field(
        default=None, alias="from", description="Only the client itself, not the other places and not the edge."
    )


class Seen(Strict):
    """A moment: the first request to a part of a host."""

    where: Role
    path: str = ""


class Fault(Strict):
    """One thing that is broken, where, and from when to when."""

    where: Roles
    what: str
    path: str = Field(default="", description="A part of the host by its symbol, or the first part of a path.")
    when: When = When()
    since: Seen | None = Field(default=None, description="Begins with this request, not before the run.")
    seconds_on: float | None = Field(default=None, gt=0, description="Ends so long after it began.")
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if self.what not in PARAMETERS:
            msg = f"'what: {self.what}' is no fault; there are: {', '.join(PARAMETERS)}"
            raise ValueError(msg)
        required, optional = PARAMETERS[self.what]
        for name in required:
            if name not in self.parameters:
                msg = f"'{self.what}' needs 'with: {{{name}: …}}'"
                raise ValueError(msg)
        for name in self.parameters:
            if name not in (*required, *optional):
                msg = f"'{self.what}' has no '{name}'; it takes: {', '.join((*required, *optional)) or 'nothing'}"
                raise ValueError(msg)
        return self


class Expected(Strict):
    """What a correct classifier says of the run."""

    outcome: Outcome
    validity: Validity = Validity.VALID
    cause: str | None = Field(default=None, description="For the reader; it must fit the detail.")
    detail: Detail | None = None
    culprit: Role | None = None
    at_most: Literal["probable", "none"] | None = Field(default=None, description="What the evidence carries at most.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.outcome is Outcome.PASSED) != (self.detail is None):
            msg = "needs a 'detail' unless the outcome is passed, and none then"
            raise ValueError(msg)
        if self.detail is not None and self.cause is not None and self.cause != self.detail.cause.value:
            msg = f"'cause: {self.cause}' does not fit '{self.detail.value}'"
            raise ValueError(msg)
        if self.validity is not Validity.VALID and self.outcome is not Outcome.INCONCLUSIVE:
            msg = f"'validity: {self.validity.value}' makes the outcome inconclusive"
            raise ValueError(msg)
        return self


class Event(Strict):
    """Something that the evidence must hold. Of several events one is enough; all that one says must be true of it."""

    exchange: Role | None = None
    experiment: ExperimentKind | None = None
    page_error: Role | None = None
    script: Role | None = None
    websocket: Role | None = None
    difference: Role | None = None
    intercepted: Role | None = None
    console: str | None = Field(default=None, description="A regular expression for a line of the console.")
    error: str | None = Field(default=None, description="A regular expression for the step's error or its kind.")
    health: bool | None = Field(default=None, description="Our own health, whatever of it.")
    slow: bool | None = Field(default=None, description="Seconds beyond the baseline or the budget.")

    path: str = ""
    status: int | None = None
    failure: str | None = Field(default=None, description="A regular expression for the name of the failure.")
    pending: bool | None = None
    blocked: str | None = None
    cors: bool | None = None
    header: dict[str, str] = Field(default_factory=dict, description="Header and a regular expression for its value.")
    verify_code: int | None = None
    address: Role | None = Field(default=None, description="Whose address was reached.")
    host: Role | None = Field(default=None, description="The subject of the experiment.")
    by: Role | None = None
    outcome: Outcome | None = None
    rcode: str | None = None
    extended_error: int | None = None
    min_seconds: float | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        names = ("exchange", "experiment", "page_error", "script", "websocket", "difference", "intercepted")
        others = ("console", "error", "health", "slow")
        if sum(getattr(self, name) is not None for name in (*names, *others)) != 1:
            msg = f"needs exactly one of: {', '.join((*names, *others))}"
            raise ValueError(msg)
        return self


class MonitorSide(Strict):
    """What the user's configuration says beyond own domains, teams and named vendors."""

    critical: list[Role] = Field(default_factory=list, description="Vendors that the user marked as critical.")
    unnamed: list[Role] = Field(default_factory=list, description="Vendors that the user did not name.")
    controls: list[Role] = Field(default_factory=lambda: ["@control1", "@control2", "@control3"])
    origin: bool = Field(default=True, description="Whether the address behind the edge is configured.")
    tenant: bool = Field(default=True, description="Whether a control tenant is configured for the hosted name.")
    resolvers: list[Role] = Field(default_factory=lambda: ["@r2"])
    vantages: list[Role] = Field(default_factory=list)
    profiles: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Further profiles, as in a monitor's."
    )
    reference: str | None = Field(default=None, description="Which profile is the reference.")
    budgets: dict[str, str] = Field(default_factory=dict, description="Budget of a step by its symbol.")
    budget: str | None = Field(default=None, description="Budget of the journey.")
    values: dict[str, str] = Field(default_factory=dict)
    second_account: bool = Field(default=False, description="Whether the check has another account to sign in with.")
    investigation: dict[str, Any] = Field(default_factory=dict)


class World(Strict):
    """How this scenario's world differs from the usual one."""

    edge: Literal["own"] | None = Field(default=None, description="A CDN stands in front of the own site.")
    dialect: Literal["proxy-status", "cf", "silent"] = "proxy-status"
    pay: Literal["embedded", "redirect"] = "embedded"
    login: Literal["idp", "own"] = "idp"
    captcha: bool = False
    maps: bool = False
    live: bool = False
    images: int = Field(default=0, ge=0, le=200)
    retry: bool = Field(default=False, description="The own bundle asks once more where the API answers 5xx.")
    effects: list[str] = Field(default_factory=list, description="Steps that are declared to have effects.")
    authority: bool = Field(default=False, description="The own zones have a server of their own, @ns, to be asked.")


class Manifest(Strict):
    """One scenario."""

    id: str
    title: str
    journey: Literal[JOURNEYS]  # type: ignore[valid-type]  # the vocabulary is the one source of these words
    profile: str | dict[str, Any] = "desktop"
    world: World = World()
    monitor: MonitorSide = MonitorSide()
    faults: list[Fault] = Field(min_length=1)
    expect: Expected
    accept: list[Detail] = Field(default_factory=list)
    twins: list[str] = Field(default_factory=list)
    decisive: Annotated[list[Event], BeforeValidator(listed)] = Field(default_factory=list)
    needs: list[str] = Field(default_factory=list)
    replay_safe: bool = True
    warm_up: int = Field(default=3, ge=1, le=30)
    prime: bool = Field(default=False, description="A failing run before the judged one, as in an episode.")

    @property
    def group(self) -> str:
        """Return the part of the table that the scenario stands in."""
        return _PREFIXES[self.id.removeprefix(f"{_MARK}-")[0]]

    @property
    def unseen(self) -> bool:
        """Say whether the fault is one that the rules were not built on."""
        return is_unseen(self.id)

    @property
    def negative(self) -> bool:
        """Say whether the journey must pass with the fault on."""
        return self.expect.outcome is Outcome.PASSED

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fits = _ID.fullmatch(self.id)
        if fits is None or fits[1] not in _PREFIXES:
            msg = f"'id: {self.id}' is not such as O09 or, of those not built on, X-O09"
            raise ValueError(msg)
        for need in self.needs:
            if need not in ABILITIES:
                msg = f"'needs: {need}' is no ability; there are: {', '.join(ABILITIES)}"
                raise ValueError(msg)
        return self


def read_manifest(path: Path) -> Manifest:
    """Return the scenario of a file. Raises ManifestError with the file, the place and what is wrong there."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        manifest = Manifest.model_validate(values)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise ManifestError(msg) from error
    except ValidationError as error:
        msg = "\n".join(f"{path}: {_place(problem['loc'])}{problem['msg']}" for problem in error.errors())
        raise ManifestError(msg) from error
    if manifest.id != path.stem:
        msg = f"{path}: 'id: {manifest.id}' must be the name of the file"
        raise ManifestError(msg)
    return manifest


def is_unseen(scenario: str) -> bool:
    """Say of an id whether its fault is one that the rules were not built on."""
    return scenario.startswith(_MARK)


def manifest_of(scenario: str) -> Manifest:
    """Return the scenario of an id. Raises ManifestError."""
    return read_manifest((UNSEEN if is_unseen(scenario) else SCENARIOS) / f"{scenario}.yaml")


def read_manifests(only: tuple[str, ...] = ()) -> tuple[Manifest, ...]:
    """Return all scenarios, or those named (``O`` stands for all that begin so). Raises ManifestError.

    Those that the rules were not built on are returned only where they are named.
    """
    places = (SCENARIOS, UNSEEN) if any(map(is_unseen, only)) else (SCENARIOS,)
    found = tuple(read_manifest(path) for place in places for path in sorted(place.glob("*.yaml")))
    for name in only:
        if not any(manifest.id.startswith(name) for manifest in found):
            msg = f"no scenario is called {name}; there are: {', '.join(manifest.id for manifest in found)}"
            raise ManifestError(msg)
    return tuple(manifest for manifest in found if not only or manifest.id.startswith(only))


def _place(location: tuple[int | str, ...]) -> str:
    return f"{'.'.join(map(str, location))}: " if location else ""
