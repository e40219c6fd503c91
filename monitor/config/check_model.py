"""The ``checks``, ``defaults`` and ``maintenance`` of ``monitor.yaml``: what is run, and when."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, InstanceOf, WithJsonSchema, model_validator

from monitor.config.crontab import Cron
from monitor.config.profile_model import TimeZone
from monitor.config.secrets import SecretValue, Value
from monitor.reading.names import Slug, Title
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration
from monitor.reading.validation import FileModel


def listed(value: object) -> object:
    """Return one name as a list of it, and everything else as it is."""
    return [value] if isinstance(value, str) else value


def parse_moment(value: object) -> dt.datetime:
    """Return the moment that RFC 3339 text names. Raises ValueError, also where the offset is missing."""
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"{quoted(value)} is not a moment; write 2026-12-01T02:00:00+01:00, with its offset from UTC"
        raise ValueError(msg)
    return moment.astimezone(dt.UTC)


Moment = Annotated[
    InstanceOf[dt.datetime], BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Profiles = Annotated[list[Slug], BeforeValidator(listed, json_schema_input_type=Slug | list[Slug]), Field(min_length=1)]
Parameter = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_-]{0,62}$")]


class PlanModel(FileModel):
    """What a check says itself, or leaves to the defaults."""

    target: Slug | None = Field(
        default=None, description="Name of the target; may be left out where there is only one."
    )
    profile: Profiles | None = Field(default=None, description="Name of a profile, or a list: one check for each.")
    every: Duration | None = Field(default=None, description="Time between two runs.")
    cron: Cron | None = Field(default=None, description="Crontab expression, instead of `every`.")
    timezone: TimeZone | None = Field(default=None, description="Time zone of `cron`; UTC where it is left out.")
    deadline: Duration | None = Field(
        default=None, description="When a run is ended from outside, all attempts included."
    )
    attempts: int | None = Field(default=None, ge=1, le=5, description="Tries within one run, the first included.")
    budget: Duration | None = Field(
        default=None, description="Time that the journey may take before a run is degraded."
    )
    satisfied_within: Duration | None = Field(
        default=None, description="Up to this time customers are satisfied (Apdex); the budget where it is left out."
    )
    team: Slug | None = Field(default=None, description="Team that is told.")
    service: Slug | None = Field(default=None, description="Service that the check speaks for.")
    process: Slug | None = Field(default=None, description="Business process that the journey is part of.")
    tier: int | None = Field(default=None, ge=1, le=5, description="Importance; 1 is the highest.")
    objective: float | None = Field(default=None, gt=0, lt=1, description="Share of runs that should succeed.")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if self.every is not None and self.cron is not None:
            msg = "has both 'every' and 'cron'; keep one"
            raise ValueError(msg)
        if self.every is not None and self.timezone is not None:
            msg = "has a 'timezone' but no 'cron'; an interval needs none"
            raise ValueError(msg)
        return self


class DefaultsModel(PlanModel):
    """What checks share unless they say otherwise."""


class SecondAccountModel(FileModel):
    """What a check signs in with instead, where its first account is refused: to tell the site from the account."""

    values: dict[Parameter, Value] = Field(default_factory=dict, description="Parameters that are other than usual.")
    secrets: dict[Parameter, SecretValue] = Field(
        default_factory=dict, description="Those that must not be seen: `${NAME}` or `{file: path}`."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = sorted(set(self.values) & set(self.secrets))
        if twice:
            msg = f"has {quoted(twice[0])} in both 'values' and 'secrets'; keep one"
            raise ValueError(msg)
        if not self.values and not self.secrets:
            msg = "says nothing; give what the second account signs in with under 'values' and 'secrets'"
            raise ValueError(msg)
        return self


class CheckModel(PlanModel):
    """A journey bound to a target, one or more profiles and a schedule."""

    journey: Slug = Field(description="Name of the journey.")
    name: Slug | None = Field(default=None, description="Name of the check instead of `journey@target/profile`.")
    values: dict[Parameter, Value] = Field(default_factory=dict, description="Parameters of the journey.")
    secrets: dict[Parameter, SecretValue] = Field(default_factory=dict, description="Parameters that must not be seen.")
    customers_per_hour: float | None = Field(
        default=None, gt=0, lt=1e12, description="Customers who take this journey in an hour."
    )
    value_per_customer: float | None = Field(
        default=None, gt=0, lt=1e12, description="What one customer's journey is worth, in `business.currency`."
    )
    second_account: SecondAccountModel | None = Field(
        default=None, description="Parameters of another account, tried where only the first one is refused."
    )
    enabled: bool = Field(default=True, description="Whether the check is run.")

    @model_validator(mode="after")
    def _name_fits(self) -> Self:
        if self.name is not None and self.profile is not None and len(self.profile) > 1:
            msg = "has one 'name' for several profiles; leave the name out, or write a check for each"
            raise ValueError(msg)
        twice = sorted(set(self.values) & set(self.secrets))
        if twice:
            msg = f"has {quoted(twice[0])} in both 'values' and 'secrets'; keep one"
            raise ValueError(msg)
        return self


class MaintenanceModel(FileModel):
    """A time in which planned runs are skipped: once from `start` to `end`, or for `duration` from each `cron`."""

    name: Title = Field(description="What the window is for.")
    start: Moment | None = Field(default=None, description="First moment, with offset.")
    end: Moment | None = Field(default=None, description="Last moment, with offset.")
    cron: Cron | None = Field(default=None, description="Crontab expression of the starts.")
    timezone: TimeZone | None = Field(default=None, description="Time zone of `cron`; UTC where it is left out.")
    duration: Duration | None = Field(default=None, description="How long a window of `cron` lasts.")
    checks: list[str] = Field(
        default_factory=list, description="Names of checks, `*` for any text; all checks where it is left out."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        once = (self.start is not None, self.end is not None)
        again = (self.cron is not None, self.duration is not None)
        if not (all(once) and not any(again)) and not (all(again) and not any(once)):
            msg = "needs either 'start' and 'end', or 'cron' and 'duration'"
            raise ValueError(msg)
        if self.timezone is not None and self.cron is None:
            msg = "has a 'timezone' but no 'cron'; 'start' and 'end' carry their offset"
            raise ValueError(msg)
        if self.start is not None and self.end is not None and self.end <= self.start:
            msg = "ends before it starts; swap 'start' and 'end'"
            raise ValueError(msg)
        return self
