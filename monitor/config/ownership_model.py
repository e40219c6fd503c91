"""The model of ``ownership.yaml``, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.diagnosis.names import load_names
from monitor.diagnosis.owners import Owners
from monitor.domain.cause import Party
from monitor.domain.ownership import CapabilityOwner, HostedName, HostOwner, Origin, Ownership, PathOwner, Vendor
from monitor.reading.addresses import Host, HostPattern, Url, check_host_pattern, is_address, split_host_port
from monitor.reading.document import Document
from monitor.reading.names import Slug, Title, check_slug, check_title
from monitor.reading.problem import Path, Problem, quoted
from monitor.reading.suggestion import did_you_mean
from monitor.reading.validation import FileModel


def as_team(value: object) -> object:
    """Return the name of a team as a mapping, and everything else as it is."""
    return {"team": value} if isinstance(value, str) else value


def check_domain(value: str) -> str:
    """Return an own domain in lower case. Raises ValueError for patterns: a domain covers all below it already."""
    if value.startswith("*."):
        msg = f"{quoted(value)} needs no '*.': a domain covers every host below it"
        raise ValueError(msg)
    return check_host_pattern(value)


def check_origin(value: str) -> str:
    """Return ``address`` or ``address:port`` as it is. Raises ValueError where it is neither."""
    try:
        found = split_host_port(value).host
    except ValueError:
        found = ""
    if not is_address(found):
        msg = f"{quoted(value)} is not an IP address, with or without a port; write 192.0.2.10 or 192.0.2.10:8443"
        raise ValueError(msg)
    return value


def check_prefix(value: str) -> str:
    """Return a path as it is. Raises ValueError where it does not start with a slash."""
    if not value.startswith("/") or not value.isprintable():
        msg = f"{quoted(value)} is not a path; write /checkout"
        raise ValueError(msg)
    return value


def check_path_host(value: str) -> str:
    """Return a host, or ``*`` for every own host. Raises ValueError where it is neither."""
    return value if value == "*" else check_host_pattern(value)


class OwnerModel(FileModel):
    """A team, and perhaps the service that it runs there."""

    team: Slug = Field(description="Owning team.")
    service: Slug | None = Field(default=None, description="Service that the team runs there.")


class PathModel(OwnerModel):
    """A team that owns the paths below a prefix."""

    host: Annotated[str, AfterValidator(check_path_host)] = Field(
        default="*", description="Host; `*` for every own host."
    )
    prefix: Annotated[str, AfterValidator(check_prefix)] = Field(description="First part of the path.")


class VendorModel(FileModel):
    """A third party that you know."""

    hosts: list[HostPattern] = Field(min_length=1, description="Hosts of the vendor; `*.` covers all below.")
    critical: bool = Field(default=False, description="Whether journeys need the vendor.")
    category: str = Field(default="", max_length=100, description="What it is for, such as `payment`.")
    objective: float | None = Field(
        default=None, gt=0, lt=1, description="Share of requests that the vendor should answer, as agreed with it."
    )


class HostedModel(FileModel):
    """An own name that a vendor serves."""

    host: HostPattern = Field(description="Own host name.")
    vendor: Title = Field(description="Name of the vendor that serves it.")
    control: Url | None = Field(
        default=None, description="URL of the vendor's that shows whether the vendor itself works."
    )


_Owner = Annotated[OwnerModel, BeforeValidator(as_team, json_schema_input_type=Slug | OwnerModel)]
_Capability = Annotated[str, Field(max_length=100), AfterValidator(check_slug)]
_EdgeName = Annotated[str, Field(min_length=3, max_length=100), AfterValidator(check_title)]
_VendorName = Annotated[str, Field(max_length=100), AfterValidator(check_title)]


class OwnershipModel(FileModel):
    """Everything that ``ownership.yaml`` may say."""

    domains: list[Annotated[str, AfterValidator(check_domain)]] = Field(
        default_factory=list, description="Own domains; every host below one is own."
    )
    default_team: Slug | None = Field(default=None, description="Team that owns what is own and named nowhere else.")
    teams: list[Slug] = Field(
        default_factory=list, description="All teams; where it is given, other names of teams are refused."
    )
    hosts: dict[HostPattern, _Owner] = Field(default_factory=dict, description="Owner of a host.")
    paths: list[PathModel] = Field(default_factory=list, description="Owners of paths.")
    capabilities: dict[_Capability, _Owner] = Field(
        default_factory=dict, description="Owner of a back-end capability that steps name."
    )
    vendors: dict[_VendorName, VendorModel] = Field(default_factory=dict, description="Known third parties by name.")
    hosted: list[HostedModel] = Field(default_factory=list, description="Own names that vendors serve.")
    edges: list[_EdgeName] = Field(
        default_factory=list,
        description="Providers in front of own hosts, by the name in their responses: `cloudflare`.",
    )
    controls: list[Url] = Field(
        default_factory=list, max_length=10, description="URLs of others that tell whether we see the world at all."
    )

    origins: dict[Host, Annotated[str, AfterValidator(check_origin)]] = Field(
        default_factory=dict,
        description="Where own hosts behind an edge are served: host to `address` or `address:port`.",
    )

    @model_validator(mode="after")
    def _has_a_default(self) -> Self:
        if self.domains and self.teams and self.default_team is None:
            msg = "has 'teams' but no 'default_team'; name the team that owns the rest"
            raise ValueError(msg)
        return self


def ownership_from(model: OwnershipModel) -> Ownership:
    """Return the ownership that the file states."""
    return Ownership(
        domains=tuple(model.domains),
        hosts=tuple(
            HostOwner(host=host, team=owner.team, service=owner.service) for host, owner in model.hosts.items()
        ),
        paths=tuple(
            PathOwner(host=path.host, prefix=path.prefix, team=path.team, service=path.service) for path in model.paths
        ),
        capabilities=tuple(
            CapabilityOwner(capability=name, team=owner.team, service=owner.service)
            for name, owner in model.capabilities.items()
        ),
        vendors=tuple(
            Vendor(
                name=name,
                hosts=tuple(vendor.hosts),
                critical=vendor.critical,
                category=vendor.category,
                objective=vendor.objective,
            )
            for name, vendor in model.vendors.items()
        ),
        hosted=tuple(HostedName(host=name.host, vendor=name.vendor, control=name.control) for name in model.hosted),
        edges=tuple(model.edges),
        controls=tuple(model.controls),
        origins=tuple(Origin(host=host, address=address) for host, address in model.origins.items()),
        default_team=model.default_team,
    )


def ownership_problems(model: OwnershipModel, document: Document, targets: Iterable[str]) -> Iterator[Problem]:
    """Yield what only shows when the parts of the file are held against each other, and against the targets' hosts."""
    if model.teams:
        for path, team in _teams(model):
            if team not in model.teams:
                hint = did_you_mean(team, model.teams)
                yield document.problem(path, f"no team is called {quoted(team)}{hint or '; add it to teams'}")
    for index, hosted in enumerate(model.hosted):
        if hosted.vendor not in model.vendors:
            hint = did_you_mean(hosted.vendor, model.vendors)
            message = f"no vendor is called {quoted(hosted.vendor)}{hint or '; add it to vendors'}"
            yield document.problem(("hosted", index, "vendor"), message)
    yield from _vendor_problems(model, document)
    if model.origins:
        yield from _origin_problems(model, document, tuple(targets))


def _vendor_problems(model: OwnershipModel, document: Document) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, vendor in model.vendors.items():
        for index, host in enumerate(vendor.hosts):
            path = ("vendors", name, "hosts", index)
            if host in seen:
                yield document.problem(path, f"{quoted(host)} belongs to {quoted(seen[host])} already; keep one")
            elif host.removeprefix("*.") in model.domains:
                yield document.problem(path, f"{quoted(host)} is also one of 'domains'; it cannot be both")
            seen.setdefault(host, name)


def _origin_problems(model: OwnershipModel, document: Document, targets: tuple[str, ...]) -> Iterator[Problem]:
    ownership, names = ownership_from(model), load_names()
    views = [Owners(ownership, target, names) for target in (*targets, "")]
    own = sorted({*model.domains, *targets})
    for host in model.origins:
        if not any(view.owner_of(host).party is Party.OWN for view in views):
            remedy = did_you_mean(host, own) or "; add its domain to domains"
            yield document.problem(("origins", host), f"{quoted(host)} is not an own host{remedy}", at_key=True)


def _teams(model: OwnershipModel) -> Iterator[tuple[Path, str]]:
    if model.default_team is not None:
        yield ("default_team",), model.default_team
    for host, owner in model.hosts.items():
        yield ("hosts", host, "team"), owner.team
    for index, path in enumerate(model.paths):
        yield ("paths", index, "team"), path.team
    for name, owner in model.capabilities.items():
        yield ("capabilities", name, "team"), owner.team
