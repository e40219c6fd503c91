"""What is gathered while settings are made from a file that has the right form."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.config.secrets import Origin, SecretUnavailable, Source, resolve
from monitor.domain.profile import HostOverride
from monitor.domain.secret import Secret
from monitor.reading.addresses import split_host_port
from monitor.reading.document import Document
from monitor.reading.problem import Path, Problem, quoted
from monitor.reading.suggestion import did_you_mean

T = TypeVar("T")
V = TypeVar("V")
_LARGEST_PEM = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Something that checks need and that cannot be had; those checks are refused, the others are not."""

    reason: str


@dataclass(slots=True, kw_only=True)
class Draft:
    """The document, where its secrets come from, and the problems and secrets found so far."""

    document: Document
    origin: Origin
    problems: list[Problem] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list, repr=False)

    def refuse(self, path: Path, message: str) -> None:
        """Add a problem with the value at the path."""
        self.problems.append(self.document.problem(path, message))

    def names(self, section: str) -> tuple[str, ...]:
        """Return the names in a section as they stand in the file, those of entries with problems included."""
        data = self.document.data
        entries = data.get(section) if isinstance(data, dict) else None
        return tuple(entries) if isinstance(entries, dict) else ()

    def lookup(self, path: Path, kind: str, name: str, known: Mapping[str, T]) -> T | None:
        """Return what a name stands for; ``None``, and a problem unless it has one already, where it is unknown."""
        if name in known:
            return known[name]
        written = self.names(f"{kind}s")
        if name not in written:
            candidates = sorted({*written, *known})
            hint = did_you_mean(name, candidates)
            remedy = hint or f"; write one of {', '.join(candidates[:10])}, or add it to {kind}s"
            self.refuse(path, f"no {kind} is called {quoted(name)}{remedy}")
        return None

    def secret(self, source: Source, name: str) -> Secret:
        """Return a value as a secret. Raises SecretUnavailable."""
        secret, *parts = resolve(source, name, self.origin)
        self.secrets += [secret, *parts]
        return secret

    def value(self, source: Source, name: str) -> str | Secret:
        """Return plain text for what stands in the file itself, a secret for the rest. Raises SecretUnavailable."""
        if source.literal:
            return resolve(source, name, self.origin)[0].reveal()
        return self.secret(source, name)

    def authorities(self, written: str | None) -> str | None:
        """Return the text of a PEM file of certificate authorities. Raises SecretUnavailable."""
        if written is None:
            return None
        title = f"extra_ca: the file {quoted(written)}"
        try:
            with (self.origin.folder / written).open("rb") as stream:
                text = stream.read(_LARGEST_PEM).decode("ascii")
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        except (UnicodeDecodeError, ssl.SSLError, ValueError) as error:
            msg = f"{title} holds no PEM certificates; export the authority as PEM"
            raise SecretUnavailable(msg) from error
        except OSError as error:
            msg = f"{title} cannot be read: {error.strerror}"
            raise SecretUnavailable(msg) from error
        return text


def collected(steps: Mapping[str, Callable[[], V]]) -> tuple[dict[str, V], list[str]]:
    """Return what each step gives, and for those whose secret is not to be had the reason, named by its key."""
    values, missing = {}, []
    for key, step in steps.items():
        try:
            values[key] = step()
        except SecretUnavailable as error:
            missing.append(f"{key}: {error}")
    return values, missing


def overrides(written: Mapping[str, str]) -> tuple[HostOverride, ...]:
    """Return overrides as the vocabulary has them."""
    return tuple(_override(key, address) for key, address in written.items())


def _override(key: str, address: str) -> HostOverride:
    found = split_host_port(key)
    return HostOverride(host=found.host, port=found.port, address=address)


def reasons(found: Iterable[str]) -> str:
    """Return several reasons as one line."""
    return "; ".join(dict.fromkeys(found))
