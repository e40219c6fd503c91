"""What is broken just now, and which connections and requests it touches."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.lab.manifest import Fault, When
from tests.lab.vocabulary import GROUPS, PROXIES
from tests.lab.world.messages import Request
from tests.lab.world.names import Names

_ROLE = re.compile(r"(?<!\w)@(\w+)")
LISTENING = frozenset({"stopped", "black-hole"})
_NAMED = re.compile(r"\[\[@(\w+)(?:/([\w-]+))?\]\]")


@dataclass(slots=True, eq=False)
class Trouble:
    """One fault, bound to the names of a world."""

    fault: Fault
    roles: frozenset[str]
    paths: Mapping[str, str]
    started: float | None = None
    ended: bool = False
    count: int = 0
    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """Return the kind of fault."""
        return self.fault.what

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter."""
        return self.fault.parameters.get(name, default)

    def on(self) -> bool:
        """Say whether it is made just now."""
        if self.started is None or self.ended:
            return False
        limit = self.fault.seconds_on
        return limit is None or time.monotonic() - self.started < limit


class Faults:
    """All faults of a scenario; the servers ask it, the case turns it on and off."""

    def __init__(self, faults: Iterable[Fault], names: Names) -> None:
        """Bind each fault to the names of the world. Raises ValueError for a part that a role does not have."""
        self._names = names
        self._elsewhere = {names.addresses[role] for role in (*PROXIES, "edge") if role in names.addresses}
        self._lock = threading.RLock()
        self._changed: list[Callable[[frozenset[str]], None]] = []
        self.all = tuple(self._bound(fault) for fault in faults)
        self._enabled = False
        self._timers: list[threading.Timer] = []

    def _bound(self, fault: Fault) -> Trouble:
        roles = frozenset(role for where in fault.where for role in GROUPS.get(where[1:], (where[1:],)))
        fault = fault.model_copy(update={"parameters": self._told(fault.parameters)})
        return Trouble(fault=fault, roles=roles, paths={role: self._names.part(role, fault.path) for role in roles})

    def _told(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a fault makes servers say, with hosts by their names where a role stands for them."""
        told = {name: self._placed(value) for name, value in parameters.items()}
        if isinstance(told.get("headers"), Mapping):
            told["headers"] = {name: self._named(value) for name, value in told["headers"].items()}
        if isinstance(told.get("body"), str):
            told["body"] = self._named(told["body"])
        return told

    def _placed(self, value: Any) -> Any:
        """Put drawn URLs into a parameter: ``[[@pay]]`` is that of a host, ``[[@pay/script]]`` that of a part of it."""
        if isinstance(value, Mapping):
            return {name: self._placed(one) for name, one in value.items()}
        if not isinstance(value, str):
            return value
        return _NAMED.sub(lambda found: self._names.at(found[1], found[2] or ""), value)

    def _named(self, words: str) -> str:
        return _ROLE.sub(lambda found: self._names.hosts.get(found[1], found[0]), str(words))

    def tell(self, changed: Callable[[frozenset[str]], None]) -> None:
        """Call ``changed`` with the roles whose faults begin or end."""
        self._changed.append(changed)

    def begin(self) -> None:
        """Make the faults; those that wait for a request begin with it."""
        with self._lock:
            self._enabled = True
            for trouble in self.all:
                trouble.count, trouble.ended, trouble.started = 0, False, None
                trouble.buckets.clear()
                if trouble.fault.since is None:
                    self._start(trouble)

    def end(self) -> None:
        """Mend everything."""
        with self._lock:
            self._enabled = False
            for timer in self._timers:
                timer.cancel()
            for trouble in self.all:
                trouble.ended = True
            self._announce(frozenset(role for trouble in self.all for role in trouble.roles))

    def saw(self, role: str, path: str) -> None:
        """Note a request, with which faults may begin."""
        for trouble in self.all:
            since = trouble.fault.since
            if since is None or trouble.started is not None or not self._enabled or since.where[1:] != role:
                continue
            if path.startswith(self._names.part(role, since.path)):
                with self._lock:
                    if trouble.started is None:
                        self._start(trouble)

    def _start(self, trouble: Trouble) -> None:
        trouble.started = time.monotonic()
        if trouble.fault.seconds_on is not None:
            timer = threading.Timer(trouble.fault.seconds_on + 0.01, self._announce, (trouble.roles,))
            timer.daemon = True
            timer.start()
            self._timers.append(timer)
        self._announce(trouble.roles)

    def _announce(self, roles: frozenset[str]) -> None:
        for changed in self._changed:
            changed(roles)

    def listening(self, role: str) -> str | None:
        """Return what keeps a role from listening just now."""
        return next((one.what for one in self.all if one.what in LISTENING and role in one.roles and one.on()), None)

    def at_connection(self, role: str, *kinds: str) -> Trouble | None:
        """Return the fault of one of these kinds that touches a new connection to a role."""
        with self._lock:
            for trouble in self.all:
                if trouble.what in kinds and role in trouble.roles and trouble.on() and self._counted(trouble):
                    return trouble
        return None

    def at_request(self, request: Request) -> tuple[Trouble, ...]:
        """Return the faults that touch a request, in their order."""
        found, role = [], request.role
        with self._lock:
            for trouble in self.all:
                if role not in trouble.roles or not trouble.on() or not _below(request.path, trouble.paths[role]):
                    continue
                if not self._meant(trouble.fault.when, request) or not self._counted(trouble):
                    continue
                if trouble.what != "rate-limit" or _exhausted(trouble, request.client):
                    found.append(trouble)
        return tuple(found)

    def _meant(self, when: When, request: Request) -> bool:
        wanted = (
            when.method is None or when.method == request.method,
            when.headless is None or when.headless == ("headless" in request.agent.lower()),
            (when.agent or "") in request.agent,
            (when.query or "") in request.query,
            (when.body or "") in request.body.decode(errors="replace"),
            when.sender is None or request.client not in self._elsewhere,
        )
        return all(wanted)

    def variants(self) -> dict[str, Any]:
        """Return how the shop's own pages differ just now."""
        found = {}
        for trouble in self.all:
            if trouble.what == "variant" and trouble.on():
                found[str(trouble.get("name"))] = trouble.get("value", True)
        return found

    def of_kind(self, *kinds: str) -> tuple[Trouble, ...]:
        """Return the faults of some kinds that are made just now."""
        return tuple(trouble for trouble in self.all if trouble.what in kinds and trouble.on())

    @staticmethod
    def _counted(trouble: Trouble) -> bool:
        when = trouble.fault.when
        trouble.count += 1
        number = trouble.count - when.after
        if number < 1 or (when.first is not None and number > when.first):
            return False
        return when.every is None or number % when.every == 0


def _below(path: str, prefix: str) -> bool:
    # The home page is one page, not the beginning of every path.
    return path == "/" if prefix == "/" else path.startswith(prefix)


def _exhausted(trouble: Trouble, client: str) -> bool:
    now = time.monotonic()
    burst = float(trouble.get("burst"))
    level, at = trouble.buckets.get(client, (burst, now))
    level = min(burst, level + (now - at) * float(trouble.get("per_second", 0.0)))
    trouble.buckets[client] = (max(0.0, level - 1), now)
    return level < 1
