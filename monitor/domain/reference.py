"""The last good run of a check, kept to be compared with and to be replayed; and what a usual run takes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request was answered in the last good run. Hashes of all answers, and no secret.

    Attributes:
        headers: Only those that set a policy or describe the content.
        replayable: Whether the archive holds the body: a static answer to a GET, without cookies.
        initiator: The script or page that made the browser ask.
        step: The step during which it was asked.
        failure: How it failed, whether or not it had a status; the run passed all the same.
        addresses: Where the host was found, the address that answered first; only over HTTP.
        issuer: Who signed the certificate that was shown; only over HTTP.
    """

    url: str
    host: str
    step: str = ""
    method: str = "GET"
    resource: str = ""
    status: int | None = None
    mime_type: str = ""
    sha256: str | None = None
    size: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    replayable: bool = False
    initiator: str = ""
    failure: str = ""
    addresses: tuple[str, ...] = ()
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The last good run of a check, as far as later runs are compared with it.

    Attributes:
        archive: The folder of the answers that can be replayed; empty where there is none.
        scripts: Seconds of main-thread work by the URL of the script.
        thrown: What code of the page threw all the same, as :func:`~monitor.diagnosis.as_ever.key_of` puts it.
        sockets: WebSockets that failed all the same, as host and path.
    """

    run_id: str
    taken_at: dt.datetime
    answers: tuple[Answer, ...] = ()
    archive: str = ""
    scripts: tuple[tuple[str, float], ...] = ()
    thrown: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()


class DifferenceKind(StrEnum):
    """In what way an exchange differs from the same one of the last good run."""

    CONTENT = "content"
    STATUS = "status"
    HEADER = "header"
    MISSING = "missing"
    NEW = "new"
    ADDRESS = "address"
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference from the last good run.

    Attributes:
        exchange: The id of the exchange; empty for one that is missing now.
        before: The hash, status, header's value, address or issuer of the certificate in the last good run;
            ``size:hash`` for content.
        header: The name of the header that differs.
    """

    kind: DifferenceKind
    url: str
    host: str
    resource: str = ""
    exchange: str = ""
    before: str = ""
    after: str = ""
    header: str = ""


class Part(StrEnum):
    """Where the time of a step goes, along its critical path."""

    OWN_BACKEND = "own_backend"
    OWN_FRONTEND = "own_frontend"
    OWN_DELIVERY = "own_delivery"
    THIRD_PARTY = "third_party"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBaseline:
    """What a step usually takes, over the last runs that passed; the whole journey where ``step`` is empty.

    Attributes:
        median: Seconds.
        deviation: The median absolute deviation from it, in seconds.
        parts: Median seconds by part of the critical path.
        requests: Median number of requests.
        received: Median number of bytes that were transferred.
    """

    step: str
    runs: int
    median: float
    deviation: float
    parts: tuple[tuple[Part, float], ...] = ()
    requests: float | None = None
    received: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a run of one check at one place usually takes.

    Attributes:
        profile: The profile of another check whose runs these are, where the check itself has none: what is sent to it
            compares, its seconds do not. Empty for the check's own.
    """

    runs: int
    steps: tuple[StepBaseline, ...] = ()
    profile: str = ""

    def of(self, step: str) -> StepBaseline | None:
        """Return the baseline of a step; of the whole journey for an empty name."""
        return next((one for one in self.steps if one.step == step), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """How one check fared at one place in the runs before one of them: at most fifty, of the day before.

    Attributes:
        failed: How many of the runs failed in the end, second attempts included.
        returns: How often it failed and was well again, at a second attempt or in a later run.
    """

    runs: int
    failed: int
    returns: int
