"""When slowness is the client's: everything is slow alike, or the profile is slowed down on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from monitor.diagnosis.critical_path import SCRIPT
from monitor.diagnosis.excess import Excess
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.spans import CONNECT, RESOLVE, TLS, WAIT, Piece, backend_share
from monitor.domain.cause import Detail
from monitor.domain.exchange import Exchange, Timings
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Phase
from monitor.domain.outcome import Outcome
from monitor.domain.reference import Part

_REACHING = {RESOLVE: Phase.RESOLVE, CONNECT: Phase.CONNECT, TLS: Phase.TLS}
_REMOTE = (Part.OWN_BACKEND, Part.OWN_DELIVERY, Part.THIRD_PARTY)
_ALIKE = 0.5
_MOST = 0.5
_STANDS_OUT = 0.6
_FAR_BELOW = 0.25
_SLOW_CONTROL = 0.5
_SLOW_CONTROL_SHARE = 0.3
_COMPARABLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The excess after the client's share was taken out of it.

    Attributes:
        detail: What of the client it is, where the client has a share.
        doubt: Why nobody may be named although one part explains most of it; empty where nothing is in doubt.
        likeliest: What it would be if the doubt were gone.
        words: What the comparison showed.
    """

    excess: Excess
    detail: Detail = Detail.CLIENT_SLOW_LINK
    doubt: str = ""
    likeliest: Detail | None = None
    words: tuple[str, ...] = ()


def seen_by_client(incident: Incident, excess: Excess) -> Seen:
    """Take out of the excess what every host shows alike, and say what a throttled profile leaves in doubt."""
    profile = incident.context.check.profile
    if controls := _slow_controls(incident, excess):
        return Seen(excess=excess.moved(_REMOTE, Part.CLIENT), words=(controls,))
    if profile.network is not None and excess.of(*_REMOTE) >= _MOST * excess.seconds:
        return _on_slow_line(incident, excess)
    if profile.cpu_slowdown > 1 and not excess.compared and _working(excess) > 0:
        return _on_slow_machine(incident, excess)
    return _reached(incident, excess)


def _working(excess: Excess) -> float:
    return sum(piece.seconds for piece in excess.pieces if piece.phase == SCRIPT)


def _slow_controls(incident: Incident, excess: Excess) -> str:
    """Say how slow unrelated hosts were, where at least two and most of them were."""
    looks = [e for e in incident.evidence.experiments if e.kind is ExperimentKind.CONTROL]
    took = [e.exchanges[-1].timings for e in looks if e.outcome is Outcome.PASSED and e.exchanges]
    least = max(_SLOW_CONTROL, _SLOW_CONTROL_SHARE * excess.seconds)
    alone = _stands_out(incident, excess, [each.wait for each in took if each.wait is not None])
    slow = [each.total for each in took if each.total >= least and _explains(each, alone)]
    if len(slow) < 2 or len(slow) <= _MOST * len(took):  # noqa: PLR2004 - one alone may be slow by itself
        return ""
    return f"{len(slow)} of {len(took)} unrelated hosts took {min(slow):.1f} s or more too"


def _explains(control: Timings, alone: float | None) -> bool:
    """Say whether what made a control slow may have made one exchange wait that stands out, if there is such a one.

    Nobody knows what a control usually takes: one that is far away takes long each time, for its several ways there and
    back, and yet none of them takes long by itself.
    """
    if alone is None:
        return True
    return (control.wait or 0.0) >= _ALIKE * alone or (control.connect or 0.0) >= _SLOW_CONTROL


def _on_slow_line(incident: Incident, excess: Excess) -> Seen:
    """The profile's line is slow on purpose: only more bytes or one exchange that stands out are somebody else's."""
    if excess.grew:
        return Seen(
            excess=excess.moved((Part.OWN_BACKEND,), Part.OWN_DELIVERY),
            words=("more was transferred than in a usual run",),
        )
    if _stands_out(incident, excess) is not None:
        return Seen(excess=excess, words=("one exchange took far longer than all others on the same line",))
    unthrottled = _unthrottled(incident)
    if unthrottled and excess.grew is False:
        words = (f"{unthrottled} was within limits", "no more was transferred than in a usual run")
        return Seen(excess=excess.moved(_REMOTE, Part.CLIENT), words=words)
    doubt = (
        "nobody knows how much a usual run transfers"
        if unthrottled
        else "the profile's line is slowed down on purpose, and no other profile was tried"
    )
    return Seen(excess=excess, doubt=doubt, likeliest=Detail.CLIENT_SLOW_LINK)


def _on_slow_machine(incident: Incident, excess: Excess) -> Seen:
    unthrottled = _unthrottled(incident)
    if unthrottled:
        parts = (Part.OWN_FRONTEND, Part.THIRD_PARTY)
        words = (f"{unthrottled} was within limits",)
        return Seen(excess=excess.moved(parts, Part.CLIENT), detail=Detail.CLIENT_DEVICE, words=words)
    doubt = "the profile's processor is slowed down on purpose, and nobody knows what a usual run takes"
    return Seen(excess=excess, doubt=doubt, likeliest=Detail.CLIENT_DEVICE)


def _unthrottled(incident: Incident) -> str:
    """Name the passed run of the journey in which nothing was slowed down; empty where there was none."""
    for one in incident.evidence.experiments:
        free = one.kind is ExperimentKind.PROFILE or (one.kind is ExperimentKind.COUNTERFACTUAL and not one.hosts)
        if free and one.outcome is Outcome.PASSED:
            return f"the journey as {one.subject}" if one.subject else "the journey without the limits"
    return ""


def _stands_out(incident: Incident, excess: Excess, beside: Sequence[float] = ()) -> float | None:
    """Return how long one exchange was waited for, if far longer than the others: no slow line alone brings that.

    ``beside`` are waits for other hosts that compare with those of the run.
    """
    longest, *others = sorted(_all_waits(incident.exchanges), reverse=True) or [0.0]
    others += beside
    if len(others) + 1 < _COMPARABLE:
        return None
    return longest if longest >= _STANDS_OUT * excess.seconds and median(others) < _FAR_BELOW * longest else None


def _all_waits(exchanges: Sequence[Exchange]) -> Iterator[float]:
    return (x.timings.wait for x in exchanges if x.timings.wait is not None and not x.pending)


def _reached(incident: Incident, excess: Excess) -> Seen:
    """Compare how long it took to reach the host with how long other domains took."""
    reaching = [p for p in excess.pieces if p.phase in _REACHING and p.part in (Part.OWN_DELIVERY, Part.THIRD_PARTY)]
    longest = max(reaching, key=lambda piece: piece.seconds, default=None)
    if longest is None or excess.of(longest.part) < _FAR_BELOW * excess.seconds:
        return Seen(excess=excess)
    if _share(excess, longest.part) < _MOST:
        return Seen(excess=excess)
    others = _elsewhere(incident, _REACHING[longest.phase], longest.owner.host)
    if not others:
        return _without_comparison(excess, longest.phase, longest)
    alike = sum(seconds >= _ALIKE * longest.seconds for seconds in others.values())
    if alike <= _MOST * len(others):
        return Seen(excess=excess, words=(f"{len(others) - alike} other domains were reached quickly",))
    for part in (Part.OWN_DELIVERY, Part.THIRD_PARTY):
        excess = excess.moved((part,), Part.CLIENT, _share(excess, part))
    detail = Detail.CLIENT_DNS if longest.phase == RESOLVE else Detail.CLIENT_SLOW_LINK
    return Seen(excess=excess, detail=detail, words=(f"{alike} of {len(others)} other domains were as slow to reach",))


def _share(excess: Excess, part: Part) -> float:
    """Return the share of a part that went into reaching hosts."""
    pieces = [piece for piece in excess.pieces if piece.part is part]
    total = sum(piece.seconds for piece in pieces)
    return sum(piece.seconds for piece in pieces if piece.phase in _REACHING) / total if total > 0 else 0.0


def _without_comparison(excess: Excess, phase: str, longest: Piece) -> Seen:
    """A slow handshake over a quick connection is the server's; a name or a connection alone may be the client's."""
    exchange = longest.exchange
    connect = exchange.timings.connect if exchange is not None else None
    if phase == TLS and (connect is None or connect < _ALIKE * longest.seconds):
        return Seen(excess=excess)
    detail = Detail.CLIENT_DNS if phase == RESOLVE else Detail.CLIENT_SLOW_LINK
    doubt = f"most of it went into reaching {longest.owner.host}, and no other domain was reached to compare it with"
    return Seen(excess=excess, doubt=doubt, likeliest=detail)


def _elsewhere(incident: Incident, phase: Phase, host: str) -> dict[str, float]:
    """Return by domain how long a phase took at hosts of other domains, the controls among them."""
    owners = incident.context.owners
    looks = [
        exchange
        for experiment in incident.evidence.experiments
        if experiment.kind is ExperimentKind.CONTROL
        for exchange in experiment.exchanges
    ]
    found: dict[str, float] = {}
    ours = owners.domain_of(host)
    for exchange in (*incident.exchanges, *looks):
        seconds = exchange.timings.of(phase)
        domain = owners.domain_of(exchange.host)
        if seconds is not None and domain != ours:
            found[domain] = max(seconds, found.get(domain, 0.0))
    return found


def states_its_work(excess: Excess) -> Piece | None:
    """Return the longest wait for a server of ours that itself states that it worked for most of the excess."""
    waits = [p for p in excess.pieces if p.part is Part.OWN_BACKEND and p.phase == WAIT and p.exchange is not None]
    longest = max(waits, key=lambda piece: piece.seconds, default=None)
    if longest is None or longest.exchange is None or not _has_statement(longest.exchange):
        return None
    stated = backend_share(longest.exchange) * (longest.exchange.timings.wait or 0.0)
    return longest if stated >= _MOST * excess.seconds > 0 else None


def _has_statement(exchange: Exchange) -> bool:
    return any(name == "server-timing" and "dur" in value for name, value in exchange.headers)
