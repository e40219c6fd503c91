"""What the experiments of an investigation showed: questions to them, each answered from facts alone."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from statistics import median

from monitor.diagnosis.edges import edge_named
from monitor.diagnosis.incident import Incident
from monitor.diagnosis.mechanisms import Mechanism, mechanism_of
from monitor.diagnosis.names import parts_of
from monitor.diagnosis.tunnels import beyond_tunnel, tunnel_status
from monitor.domain.cause import Party
from monitor.domain.exchange import Exchange
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome

_PROXY_AUTH = 407
_SERVER_ERROR = 500
AGREEING = 3
"""How many journeys have to agree that an intervention is what makes the difference."""
SEVERAL_RETURNS = 3
"""How often a check that failed was well again of late, for its failures to be taken for ones that come and go."""
ONE_IN = 10
"""Of how many runs one at least has to be such a return: what is rarer hardly fails again just when it is tried."""
_AS_THIS_CLIENT = (ExperimentKind.RERUN, ExperimentKind.BLOCK, ExperimentKind.REPLAY)
_CAPTIVE = 511
_GOOD = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_PORTAL_CHECKS = ("generate_204", "gen_204", "connecttest", "hotspot-detect", "captive", "connectivity")


class Layer(Enum):
    """How far a look got, or in which layer it failed."""

    DNS = auto()
    CONNECT = auto()
    TLS = auto()
    PROXY = auto()
    HTTP = auto()
    ANSWERED = auto()


LAYERS = {
    Mechanism.NAME: Layer.DNS,
    Mechanism.RESOLVER: Layer.DNS,
    Mechanism.REFUSED: Layer.CONNECT,
    Mechanism.BROKEN_OFF: Layer.CONNECT,
    Mechanism.PATH: Layer.CONNECT,
    Mechanism.UNREACHABLE: Layer.CONNECT,
    Mechanism.LOCAL: Layer.CONNECT,
    Mechanism.TLS: Layer.TLS,
    Mechanism.PROXY: Layer.PROXY,
    Mechanism.STATUS: Layer.HTTP,
    Mechanism.PROTOCOL: Layer.HTTP,
    Mechanism.SILENT: Layer.HTTP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What became of one control.

    Attributes:
        host: The control's host.
        shares: Whether it stands with the same provider as the target, so that it says nothing of the client.
    """

    host: str
    layer: Layer
    exchange: Exchange
    experiment: Experiment
    shares: bool = False

    @property
    def answered(self) -> bool:
        """Say whether the host itself was reached and spoke, be it with an error."""
        return self.layer in (Layer.ANSWERED, Layer.HTTP) and self.exchange.status is not None


def host_of(subject: str) -> str:
    """Return the host that an experiment's subject names, be it a URL, a host or a host with its port."""
    return (parts_of(subject if "://" in subject else f"//{subject}").hostname or subject).lower()


def layer_of(exchange: Exchange) -> Layer:
    """Return the layer in which an exchange failed."""
    if exchange.status == _PROXY_AUTH:
        return Layer.PROXY
    return LAYERS.get(mechanism_of(exchange), Layer.ANSWERED)


def made(incident: Incident, *kinds: ExperimentKind) -> tuple[Experiment, ...]:
    """Return the experiments of these kinds that came to a result, in their order."""
    experiments = incident.evidence.experiments
    return tuple(e for e in experiments if e.kind in kinds and _says_something(incident, e))


def _says_something(incident: Incident, experiment: Experiment) -> bool:
    """A journey that did not even come as far as the step in question says nothing about it."""
    if experiment.outcome is Outcome.INCONCLUSIVE:
        return False
    step = incident.step.name if incident.step else ""
    return passed(experiment) or not experiment.failed_step or not step or experiment.failed_step == step


def looks(incident: Incident, kind: ExperimentKind, host: str) -> tuple[Experiment, ...]:
    """Return the looks of a kind at one host that came to a result and kept what was exchanged."""
    return tuple(e for e in made(incident, kind) if e.exchanges and host_of(e.subject) == host.lower())


def passed(experiment: Experiment) -> bool:
    """Say whether a look was answered, or a journey got past the step that had failed."""
    return experiment.outcome in _GOOD


def controls(incident: Incident) -> tuple[Control, ...]:
    """Return what became of each control; a control that was asked twice counts once, by its last answer."""
    last = {host_of(e.subject): e for e in made(incident, ExperimentKind.CONTROL) if e.exchanges}
    return tuple(_control(incident, host, experiment) for host, experiment in last.items())


def _control(incident: Incident, host: str, experiment: Experiment) -> Control:
    exchange = experiment.exchanges[-1]
    return Control(
        host=host,
        layer=layer_of(exchange),
        exchange=exchange,
        experiment=experiment,
        shares=_shares(incident, host, experiment),
    )


def _shares(incident: Incident, host: str, experiment: Experiment) -> bool:
    """Say whether a control stands where the target stands: same domain, same address, or the same edge answered."""
    target = target_exchanges(incident)
    owners = incident.context.owners
    if owners.domain_of(host) in {owners.domain_of(x.host) for x in target}:
        return True
    edges = {name for x in target if (name := edge_named(x, owners))}
    if any(edge_named(x, owners) in edges for x in experiment.exchanges):
        return True
    # Behind a proxy every address that is seen is the proxy's own.
    addresses = set() if incident.context.check.profile.proxy else {x.address for x in target if x.address}
    return any(x.address in addresses and not _is_here(x.address) for x in experiment.exchanges if x.address)


def _is_here(address: str) -> bool:
    """Say whether an address is this machine's own, where whole worlds may stand side by side."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(address).is_loopback
    return False


def target_exchanges(incident: Incident) -> tuple[Exchange, ...]:
    """Return what was exchanged with the host that failed, in the run and in looks at it; else with the page's host."""
    first = incident.needed[0].host if incident.needed else ""
    host = first or (parts_of(incident.context.check.target.base_url).hostname or "")
    looked = [x for e in incident.evidence.experiments if not _is_control(e) for x in e.exchanges if x.host == host]
    return (*(x for x in incident.exchanges if x.host == host), *looked)


def _is_control(experiment: Experiment) -> bool:
    return experiment.kind is ExperimentKind.CONTROL


def diverse(incident: Incident) -> tuple[Control, ...]:
    """Return one control for each registrable domain, those left out that share a provider with the target."""
    domain_of = incident.context.owners.domain_of
    chosen = {domain_of(control.host): control for control in controls(incident) if not control.shares}
    return tuple(chosen.values())


def is_majority(some: int, every: int) -> bool:
    """Say whether these are at least two and more than half: one control that is down proves nothing."""
    return some > 1 and 2 * some > every


def world_answers(incident: Incident) -> bool:
    """Say whether most of the diverse controls were reached at the same time, so that we could see the world."""
    every = diverse(incident)
    return is_majority(sum(control.answered for control in every), len(every))


def is_own(incident: Incident, control: Control) -> bool:
    """Say whether a control is a host of our own, which may fail with the target for reasons of our own."""
    return incident.context.owners.owner_of(control.host).party is Party.OWN


def failed_together(incident: Incident) -> tuple[Control, ...]:
    """Return the diverse controls of others that failed in one layer, where they are the majority; else none."""
    every = tuple(control for control in diverse(incident) if not is_own(incident, control))
    for layer in (Layer.PROXY, Layer.DNS, Layer.CONNECT, Layer.TLS):
        alike = tuple(control for control in every if control.layer is layer)
        if is_majority(len(alike), len(every)):
            return alike
    return ()


def portal_of(incident: Incident) -> str | None:
    """Return who answered in the place of the controls, as a captive portal does, or ``None``."""
    every = controls(incident)
    if any(_CAPTIVE in (control.exchange.status, tunnel_status(control.exchange)) for control in every):
        return "a gateway that asks to sign in"
    domain_of = incident.context.owners.domain_of
    moved = [c for c in every if c.exchange.status is not None and domain_of(c.exchange.host) != domain_of(c.host)]
    hosts = [control.exchange.host for control in moved]
    together = next((host for host in hosts if is_majority(hosts.count(host), len(every))), None)
    # One site may have moved what it is asked for: a gateway keeps the others away as well.
    if together is not None or any(control.answered and control not in moved for control in every):
        return together
    return next((control.exchange.host for control in moved if _checks_for_portals(control)), None)


def _checks_for_portals(control: Control) -> bool:
    return any(word in control.experiment.subject.lower() for word in _PORTAL_CHECKS)


def clock_skew(incident: Incident) -> float | None:
    """Return how many seconds the median ``Date`` of the controls is ahead of our clock; ``None`` without one."""
    skews = []
    for control in controls(incident):
        stated = dict(control.exchange.headers).get("date")
        if stated is None:
            continue
        with contextlib.suppress(ValueError, TypeError):
            times = control.exchange.timings
            passed_by = control.experiment.started + times.started + times.total
            ours = incident.evidence.started_at + dt.timedelta(seconds=passed_by)
            skews.append((parsedate_to_datetime(stated) - ours).total_seconds())
    return median(skews) if skews else None


def valid_at(incident: Incident, exchange: Exchange, skew: float) -> bool | None:
    """Say whether the certificate that was shown is in date by a clock that far ahead; ``None`` where none was kept."""
    shown = (x.tls.chain[0] for x in (exchange, *reprobes(incident, exchange.host)) if x.tls and x.tls.chain)
    leaf = next((each for each in shown if each.not_before is not None and each.not_after is not None), None)
    if leaf is None or leaf.not_before is None or leaf.not_after is None:
        return None
    now = incident.evidence.started_at + dt.timedelta(seconds=exchange.timings.started + skew)
    return leaf.not_before <= now <= leaf.not_after


def issuers(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Return who signed the certificates that were shown."""
    return frozenset(x.tls.chain[0].issuer for x in exchanges if x.tls and x.tls.chain)


def reprobes(incident: Incident, host: str) -> tuple[Exchange, ...]:
    """Return how each repeated look at a host from our own socket ended, those left out that a rate limit refused."""
    ends = (e.exchanges[-1] for e in looks(incident, ExperimentKind.REPROBE, host))
    return tuple(x for x in ends if x.status != 429)  # noqa: PLR2004 - the status for too many requests


def asked_the_same(look: Experiment, exchange: Exchange) -> bool:
    """Say whether a look sent the very request: one that must not be sent again was asked only for its host."""
    return bool(look.exchanges) and _bare(look.exchanges[0].url) == _bare(exchange.url)


def _bare(url: str) -> str:
    return url.partition("#")[0]


def failing_alike(incident: Incident, exchange: Exchange, *kinds: ExperimentKind) -> tuple[Experiment, ...]:
    """Return the looks at the host of a failed exchange that failed in the same way as it did."""
    every = (look for kind in kinds for look in looks(incident, kind, exchange.host))
    return tuple(look for look in every if not passed(look) and _is_alike(exchange, look.exchanges[-1]))


def _is_alike(exchange: Exchange, other: Exchange) -> bool:
    """Say whether two exchanges failed in one layer; where a server spoke, in what it said as well."""
    layer = layer_of(exchange)
    if layer_of(other) is not layer:
        return False
    return layer is not Layer.HTTP or _says_alike(exchange, other, mechanism_of(other))


def _says_alike(exchange: Exchange, other: Exchange, mechanism: Mechanism) -> bool:
    """Say whether a server erred alike. A request that is refused may have lacked no more than the session."""
    if mechanism_of(exchange) is not mechanism:
        return False
    here, there = exchange.status or 0, other.status or 0
    return mechanism is not Mechanism.STATUS or here == there or min(here, there) >= _SERVER_ERROR


def elsewhere(incident: Incident, host: str) -> tuple[Experiment, ...]:
    """Return the looks at a host from other places, those left out that did not get past the place itself."""
    places = looks(incident, ExperimentKind.VANTAGE, host)
    return tuple(look for look in places if beyond_tunnel(look.exchanges[-1]) is not Mechanism.PROXY)


def fails_alike_there(exchange: Exchange, look: Experiment) -> bool:
    """Say whether a look from another place failed as the exchange did here; a place may not say in which way."""
    there = look.exchanges[-1]
    mechanism = beyond_tunnel(there)
    unsaid = there.failure is Failure.PROXY_TUNNEL_FAILED and mechanism is Mechanism.PATH
    layer = layer_of(exchange)
    if LAYERS.get(mechanism) is Layer.HTTP and layer is Layer.HTTP:
        return _says_alike(exchange, there, mechanism)
    return LAYERS.get(mechanism) is layer or (unsaid and layer is Layer.DNS)


def flips(incident: Incident, *kinds: ExperimentKind) -> tuple[Experiment, ...]:
    """Return the interventions that made the step pass, the smallest first.

    None where the step passed without any, nor one that did not help when it was made again: what comes and goes by
    itself is mended by anything.
    """
    if comes_and_goes(incident):
        return ()
    tried = made(incident, *kinds)
    in_vain = [e for e in tried if not passed(e)]
    helped = (e for e in tried if passed(e) and not any(_is_same(e, other) for other in in_vain))
    return tuple(sorted(helped, key=lambda e: len(e.hosts)))


def _is_same(one: Experiment, other: Experiment) -> bool:
    return (one.kind, frozenset(one.hosts), one.path) == (other.kind, frozenset(other.hosts), other.path)


def reruns(incident: Incident) -> tuple[Experiment, ...]:
    """Return the unmodified repetitions of the journey that came to a result."""
    return made(incident, ExperimentKind.RERUN)


def gone(incident: Incident) -> bool:
    """Say whether the failure did not come back: the journey was made again, and its last repetition passed."""
    again = reruns(incident)
    return bool(again) and passed(again[-1])


def comes_and_goes(incident: Incident) -> bool:
    """Say whether the step passed once and failed once with one and the same client, nothing being changed."""
    other = {passed(each) for each in made(incident, ExperimentKind.PROFILE)}
    return any(passed(each) for each in reruns(incident)) or other == {True, False}


def came_and_went(incident: Incident) -> bool:
    """Say whether the check failed and was well again so often of late that this failure may go by itself, too."""
    lately = incident.evidence.lately
    return lately is not None and lately.returns >= SEVERAL_RETURNS and ONE_IN * lately.returns >= lately.runs


def is_reproduced(incident: Incident, experiment: Experiment) -> bool:
    """Say whether the step failed without an intervention after it had passed with it, and chance is hardly why.

    A failure that comes and goes passes and fails in that order often enough: three journeys at least have to agree
    that it passes with the intervention and fails without.
    """
    experiments = incident.evidence.experiments
    later = experiments[experiments.index(experiment) + 1 :]
    again = any(e.kind is ExperimentKind.RERUN and not passed(e) and _says_something(incident, e) for e in later)
    return again and not _may_be_chance(incident, len(_agreeing(incident, experiment)))


def fails_as_this_client_alone(incident: Incident) -> bool:
    """Say whether the step failed again as this client and passed as the reference, and chance is hardly why."""
    failed = [e for e in made(incident, *_AS_THIS_CLIENT) if not passed(e)]
    others = [e for e in made(incident, ExperimentKind.PROFILE) if passed(e)]
    again = any(e.kind is ExperimentKind.RERUN for e in failed)
    return again and bool(others) and not _may_be_chance(incident, len(failed) + len(others))


def _may_be_chance(incident: Incident, agreeing: int) -> bool:
    return agreeing < AGREEING or comes_and_goes(incident) or came_and_went(incident)


def _agreeing(incident: Incident, experiment: Experiment) -> tuple[Experiment, ...]:
    """Return the journeys that passed with what an intervention changed, and those that failed without it."""
    tried = made(incident, *_AS_THIS_CLIENT)
    return tuple(each for each in tried if passed(each) is (set(each.hosts) >= set(experiment.hosts)))


def covers(experiment: Experiment, exchange: Exchange) -> bool:
    """Say whether an intervention was put on this exchange."""
    on_host = exchange.host in (experiment.hosts or (host_of(experiment.subject),))
    return on_host and parts_of(exchange.url).path.startswith(experiment.path)


def was_cleared(incident: Incident, host: str) -> bool:
    """Say whether the step failed just the same with a host blocked or as it last was."""
    tried = made(incident, ExperimentKind.BLOCK, ExperimentKind.REPLAY)
    return any(host in each.hosts and not passed(each) and not each.missed for each in tried)


def reference_profile(incident: Incident) -> Experiment | None:
    """Return the run of the same journey with the profile that is known to be served well."""
    return next(iter(made(incident, ExperimentKind.PROFILE)), None)
