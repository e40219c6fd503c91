"""The section ``investigation`` of ``monitor.yaml``, and what is made of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.draft import Draft, Unusable
from monitor.config.profile_model import HeaderText, Resolver, check_proxy
from monitor.config.secrets import SecretUnavailable, SecretValue
from monitor.config.settings import InvestigationSettings, OtherVantage
from monitor.domain.profile import ClientProfile, Proxy
from monitor.reading.addresses import split_host_port
from monitor.reading.names import check_slug
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration, show_duration
from monitor.reading.validation import FileModel

_SHORTEST = dt.timedelta(seconds=5)
_LONGEST = dt.timedelta(minutes=5)
_DNS_PORT = 53


def check_time_limit(value: dt.timedelta) -> dt.timedelta:
    """Return the time of an investigation as it is. Raises ValueError where it is too short or too long."""
    if not _SHORTEST <= value <= _LONGEST:
        allowed = f"from {show_duration(_SHORTEST)} to {show_duration(_LONGEST)}"
        msg = f"{show_duration(value)} is no time for an investigation; write a time {allowed}"
        raise ValueError(msg)
    return value


def check_vantage_proxy(value: str) -> str:
    """Return the URL of a forward proxy as it is. Raises ValueError where single requests cannot go through it."""
    if not check_proxy(value).startswith("http://"):
        msg = f"{quoted(value)}: single requests go through http:// proxies only; write http://proxy.example.com:3128"
        raise ValueError(msg)
    return value


def vantage_parts(value: object) -> object:
    """Return the URL of a proxy as a mapping, and everything else as it is."""
    return {"proxy": value} if isinstance(value, str) else value


class VantageModel(FileModel):
    """Another place to look from: a forward proxy that stands there."""

    proxy: Annotated[str, AfterValidator(check_vantage_proxy)] = Field(
        description="Address of the proxy: http, without user name."
    )
    username: HeaderText | None = Field(default=None, description="User name.")
    password: SecretValue | None = Field(default=None, description="Password: `${NAME}` or `{file: path}`.")

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            msg = "needs both 'username' and 'password', or neither"
            raise ValueError(msg)
        return self


_Vantage = Annotated[VantageModel, BeforeValidator(vantage_parts, json_schema_input_type=str | VantageModel)]


class InvestigationModel(FileModel):
    """What may be tried to find out whose a failure is."""

    enabled: bool = Field(default=True, description="Whether anything is tried beside the run itself.")
    journeys: int = Field(default=3, ge=0, le=10, description="How often the journey may be made again.")
    requests: int = Field(default=40, ge=0, le=200, description="How many single requests may be made.")
    time_limit: Annotated[Duration, AfterValidator(check_time_limit)] | None = Field(
        default=None, description="When the investigation of one run ends at the latest; 60s where it is left out."
    )
    resolvers: list[Resolver] = Field(
        default_factory=list,
        max_length=4,
        description="DNS servers to ask beside the client's own: `address` or `address:port`.",
    )
    vantages: dict[Annotated[str, AfterValidator(check_slug)], _Vantage] = Field(
        default_factory=dict, max_length=4, description="Other places to look from, by name."
    )
    reference_profile: str | None = Field(
        default=None, description="Client profile that is known to be served well; tried where another one fails."
    )
    keep_answers: Duration | None = Field(
        default=None, description="How old the last good run may be to compare with; 24h where it is left out."
    )


def investigation_from(
    model: InvestigationModel, profiles: Mapping[str, ClientProfile | Unusable], draft: Draft
) -> InvestigationSettings:
    """Return what may be tried; a vantage whose password is not to be had is a problem."""
    if model.reference_profile is not None:
        draft.lookup(("investigation", "reference_profile"), "profile", model.reference_profile, profiles)
    _check_resolvers(model, draft)
    usual = InvestigationSettings()
    return InvestigationSettings(
        enabled=model.enabled,
        journeys=model.journeys,
        requests=model.requests,
        time_limit=model.time_limit or usual.time_limit,
        resolvers=tuple(model.resolvers),
        vantages=tuple(_vantage(name, vantage, draft) for name, vantage in model.vantages.items()),
        reference_profile=model.reference_profile,
        keep_answers=model.keep_answers or usual.keep_answers,
    )


def _check_resolvers(model: InvestigationModel, draft: Draft) -> None:
    seen: set[tuple[str, int]] = set()
    for index, written in enumerate(model.resolvers):
        found = split_host_port(written)
        server = found.host, found.port or _DNS_PORT
        if server in seen:
            draft.refuse(("investigation", "resolvers", index), f"{quoted(written)} is named twice; keep one")
        seen.add(server)


def _vantage(name: str, model: VantageModel, draft: Draft) -> OtherVantage:
    password = None
    if model.password is not None:
        try:
            password = draft.secret(model.password, f"proxy password of {name}")
        except SecretUnavailable as error:
            draft.refuse(("investigation", "vantages", name, "password"), str(error))
    return OtherVantage(name=name, proxy=Proxy(url=model.proxy, username=model.username, password=password))
