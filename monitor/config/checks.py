"""Makes checks and maintenance windows from their models."""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from monitor.config.check_model import CheckModel, DefaultsModel, MaintenanceModel, SecondAccountModel
from monitor.config.crontab import shortest_gap_minutes
from monitor.config.draft import Draft, Unusable, collected, reasons
from monitor.config.settings import Place, RefusedCheck
from monitor.domain.check import Check, MaintenanceWindow, Schedule, Target
from monitor.domain.profile import ClientProfile
from monitor.domain.secret import Secret
from monitor.reading.problem import Path, dotted, quoted
from monitor.reading.quantities import show_duration
from monitor.reading.suggestion import did_you_mean

EVERY = dt.timedelta(minutes=5)
DEADLINE = dt.timedelta(seconds=60)
_SHORTEST_INTERVAL = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What checks may name, and what they share."""

    targets: Mapping[str, Target | Unusable]
    profiles: Mapping[str, ClientProfile | Unusable]
    teams: tuple[str, ...]
    defaults: DefaultsModel
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the checks of one entry have in common."""

    schedule: Schedule
    deadline: dt.timedelta
    attempts: int
    budget: dt.timedelta | None
    satisfied_within: dt.timedelta | None


@dataclass(slots=True, kw_only=True)
class CheckList:
    """The checks made so far, those that are refused, and where each stands."""

    checks: list[Check]
    refused: list[RefusedCheck]
    places: dict[str, Place]
    series: dict[str, Place]


def checks_from(models: Mapping[int, CheckModel], known: Known, draft: Draft) -> CheckList:
    """Return the checks of all entries; ``models`` are keyed by their position in the file."""
    made = CheckList(checks=[], refused=[], places={}, series={})
    for index, model in models.items():
        _add_entry(made, index, model, known, draft)
    if models and not any(model.enabled for model in models.values()):
        draft.refuse(("checks",), "every check is disabled, nothing would be watched; enable one")
    return made


def _add_entry(made: CheckList, index: int, model: CheckModel, known: Known, draft: Draft) -> None:
    path: Path = ("checks", index)
    target_name = _target_name(model, path, known, draft)
    target = draft.lookup((*path, "target"), "target", target_name, known.targets) if target_name else None
    _check_team(model, path, known, draft)
    if model.value_per_customer is not None and known.currency is None and "currency" not in draft.names("business"):
        draft.refuse((*path, "value_per_customer"), "has no currency; write business: {currency: EUR}")
    plan = _plan(model, path, known.defaults, draft)
    names = _profile_names(model, known.defaults)
    values, missing = _values(model, draft)
    second, lacking = _values(model.second_account, draft) if model.second_account else ((), [])
    missing += [f"second_account: {reason}" for reason in lacking]
    for position, profile_name in enumerate(names):
        profile_path = (*path, "profile", position) if len(names) > 1 else (*path, "profile")
        profile = draft.lookup(profile_path, "profile", profile_name, known.profiles)
        series = f"{model.journey}@{target_name}/{profile_name}"
        name = model.name or series
        if not _is_new(made, name, series, path, draft) or target is None or profile is None or plan is None:
            continue
        unusable = [part.reason for part in (target, profile) if isinstance(part, Unusable)]
        if missing or unusable or isinstance(target, Unusable) or isinstance(profile, Unusable):
            made.refused.append(RefusedCheck(name=name, reason=reasons([*missing, *unusable])))
            continue
        check = _check(name, model, known.defaults, plan, (target, profile), values)
        made.checks.append(replace(check, second_account=second))


def _check(
    name: str,
    model: CheckModel,
    defaults: DefaultsModel,
    plan: Plan,
    where: tuple[Target, ClientProfile],
    values: tuple[tuple[str, str | Secret], ...],
) -> Check:
    target, profile = where
    return Check(
        name=name,
        journey=model.journey,
        target=target,
        profile=profile,
        schedule=plan.schedule,
        deadline=plan.deadline,
        attempts=plan.attempts,
        budget=plan.budget,
        satisfied_within=plan.satisfied_within,
        values=values,
        team=model.team or defaults.team,
        service=model.service or defaults.service,
        tier=model.tier or defaults.tier or 2,
        objective=model.objective or defaults.objective or 0.99,
        process=model.process or defaults.process,
        customers_per_hour=model.customers_per_hour,
        value_per_customer=model.value_per_customer,
        enabled=model.enabled,
    )


def _is_new(made: CheckList, name: str, series: str, path: Path, draft: Draft) -> bool:
    line, column = draft.document.place(path)
    place = Place(file=draft.document.file, line=line, column=column, path=dotted(path))
    if series in made.series:
        remedy = "give it a target or profile of another name"
        first = made.series[series].line
        draft.refuse(path, f"{quoted(series)} is there already, on line {first}, and their figures would mix; {remedy}")
        return False
    if name in made.places:
        draft.refuse(path, f"a check is called {quoted(name)} already, on line {made.places[name].line}; rename one")
        return False
    made.series[series] = made.places[name] = place
    return True


def _target_name(model: CheckModel, path: Path, known: Known, draft: Draft) -> str | None:
    name = model.target or known.defaults.target
    if name is not None:
        return name
    written = draft.names("targets")
    if len(written) == 1:
        return written[0]
    draft.refuse(path, f"'target' is missing, and there are {len(written)}; name one")
    return None


def _profile_names(model: CheckModel, defaults: DefaultsModel) -> tuple[str, ...]:
    chosen = model.profile or defaults.profile or ["desktop"]
    if model.name is not None and model.profile is None:
        # A name fits one check: profiles that only the defaults name do not multiply it.
        chosen = chosen[:1]
    return tuple(dict.fromkeys(chosen))


def _check_team(model: CheckModel, path: Path, known: Known, draft: Draft) -> None:
    if model.team is not None and known.teams and model.team not in known.teams:
        hint = did_you_mean(model.team, known.teams) or "; add it to teams in the ownership file"
        draft.refuse((*path, "team"), f"no team is called {quoted(model.team)}{hint}")


def _values(
    model: CheckModel | SecondAccountModel, draft: Draft
) -> tuple[tuple[tuple[str, str | Secret], ...], list[str]]:
    sources = {**model.values, **model.secrets}
    values, missing = collected(
        {name: functools.partial(draft.value, source, name) for name, source in sources.items()}
    )
    return tuple(values.items()), missing


def _plan(model: CheckModel, path: Path, defaults: DefaultsModel, draft: Draft) -> Plan | None:
    schedule = _schedule(model, defaults)
    gap = schedule.interval or dt.timedelta(minutes=shortest_gap_minutes(schedule.cron or "* * * * *"))
    deadline = model.deadline or defaults.deadline or min(DEADLINE, gap)
    attempts = model.attempts or defaults.attempts or 2
    budget = model.budget or defaults.budget
    plan = Plan(
        schedule=schedule,
        deadline=deadline,
        attempts=attempts,
        budget=budget,
        satisfied_within=model.satisfied_within or defaults.satisfied_within or budget,
    )
    found = list(_plan_problems(plan, gap))
    for key, message in found:
        inherited = getattr(model, key) is None and getattr(defaults, key) is not None
        draft.refuse((*path, key), message + (f" (the {key} is that of 'defaults')" if inherited else ""))
    return None if found else plan


def _schedule(model: CheckModel, defaults: DefaultsModel) -> Schedule:
    zone = model.timezone or defaults.timezone or "UTC"
    if model.every is not None:
        return Schedule(interval=model.every)
    if model.cron is not None:
        return Schedule(cron=model.cron, timezone=zone)
    if defaults.cron is not None:
        return Schedule(cron=defaults.cron, timezone=zone)
    return Schedule(interval=defaults.every or EVERY)


def _plan_problems(plan: Plan, gap: dt.timedelta) -> Iterator[tuple[str, str]]:
    if gap < _SHORTEST_INTERVAL:
        yield "every", f"{show_duration(gap)} is too often; write 1s or more"
    if plan.deadline > gap:
        times = "the time between two runs"
        message = f"{show_duration(plan.deadline)} is longer than {times}, {show_duration(gap)}; shorten the deadline"
        yield "deadline", f"{message} or run it less often"
    if plan.budget is not None and plan.budget * plan.attempts > plan.deadline:
        needed = f"{plan.attempts} times {show_duration(plan.budget)}"
        if plan.attempts == 1:
            needed = show_duration(plan.budget)
        message = f"{needed} does not fit the deadline of {show_duration(plan.deadline)}, which covers all attempts"
        yield "budget", f"{message}; lower budget or attempts"
    if plan.satisfied_within not in (None, plan.budget) and plan.satisfied_within > plan.deadline:
        ended = f"a run is ended after {show_duration(plan.deadline)}"
        yield "satisfied_within", f"{show_duration(plan.satisfied_within)} says nothing, for {ended}; shorten it"


def maintenance_from(
    models: Mapping[int, MaintenanceModel], names: tuple[str, ...], draft: Draft
) -> tuple[MaintenanceWindow, ...]:
    """Return the maintenance windows, with patterns replaced by the names of the checks that they cover."""
    return tuple(_window(index, model, names, draft) for index, model in models.items())


def _window(index: int, model: MaintenanceModel, names: tuple[str, ...], draft: Draft) -> MaintenanceWindow:
    covered: dict[str, None] = {}
    for position, pattern in enumerate(model.checks):
        matching = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not matching:
            hint = did_you_mean(pattern, names) or "; write a name such as checkout@shop/desktop, or checkout@*"
            draft.refuse(("maintenance", index, "checks", position), f"no check is called {quoted(pattern)}{hint}")
        covered.update(dict.fromkeys(matching))
    return MaintenanceWindow(
        name=model.name,
        start=model.start,
        end=model.end,
        cron=Schedule(cron=model.cron, timezone=model.timezone or "UTC") if model.cron else None,
        duration=model.duration,
        checks=tuple(covered),
    )
