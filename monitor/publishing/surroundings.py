"""What a run tells of others: third parties, certificates, and what was wrong with ourselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.diagnosis.mechanisms import is_defect
from monitor.diagnosis.owners import Owner
from monitor.domain.cause import Party
from monitor.domain.evidence import ProberFault
from monitor.domain.exchange import Exchange
from monitor.domain.failure import FailureClass
from monitor.domain.run import Run
from monitor.publishing import of_ourselves, of_surroundings
from monitor.publishing.tables import Tables
from monitor.publishing.vendors import VendorList

_ERROR_STATUS = 400
_BROWSER_FAULTS = frozenset({ProberFault.BROWSER_CRASHED, ProberFault.BROWSER_FROZEN, ProberFault.DRIVER_DIED})


@dataclass(slots=True)
class Transfer:
    """Bytes that a run received, by party; ``pages`` is whether a browser loaded them."""

    first: int = 0
    third: int = 0
    pages: bool = False


def count_requests(tables: Tables, run: Run, owner_at: Callable[[str, str], Owner], vendors: VendorList) -> Transfer:
    """Count requests to third parties, whether or not they mattered; return what was received from whom."""
    transfer = Transfer()
    for exchange in run.evidence.exchanges:
        if exchange.intervention:
            continue
        owner = owner_at(exchange.host, exchange.url)
        own = owner.party is Party.OWN
        transfer.pages |= exchange.resource != "http"
        if own:
            transfer.first += exchange.transfer_bytes or 0
            continue
        transfer.third += exchange.transfer_bytes or 0
        if owner.party is Party.THIRD_PARTY:
            _count_request(tables, run, exchange, vendors.label(owner.name if owner.named else None))
    return transfer


def _count_request(tables: Tables, run: Run, exchange: Exchange, vendor: str) -> None:
    tables.value(of_surroundings.VENDOR_REQUESTS).at(vendor, run.location).add()
    if exchange.pending:
        return
    if is_defect(exchange):
        reason = _reason(exchange)
        failures = tables.value(of_surroundings.VENDOR_FAILURES)
        failures.at(vendor, run.location, run.check.journey, reason.value).add()
    if exchange.status is not None and exchange.failure is None and not exchange.from_cache:
        tables.spread(of_surroundings.VENDOR_DURATION).at(vendor, run.location).observe(exchange.timings.total)


def _reason(exchange: Exchange) -> FailureClass:
    if exchange.status is not None and exchange.status >= _ERROR_STATUS:
        return FailureClass.HTTP
    return exchange.failure.family if exchange.failure else FailureClass.UNKNOWN


def note_certificates(tables: Tables, run: Run, hosts: frozenset[str]) -> None:
    """State when certificates of configured hosts expire: the first of the chain, because it ends the others' use."""
    for exchange in run.evidence.exchanges:
        if exchange.tls is None or exchange.host not in hosts:
            continue
        ends = [certificate.not_after for certificate in exchange.tls.chain if certificate.not_after is not None]
        if ends:
            tables.value(of_surroundings.CERTIFICATE).at(exchange.host).set(min(ends).timestamp())


def count_ourselves(tables: Tables, run: Run) -> None:
    """Count what was wrong with us, and what we cut short."""
    for attempt in run.evidence.attempts:
        if attempt.prober_fault is not None:
            tables.value(of_ourselves.PROBER_FAULTS).at(attempt.prober_fault.value).add()
            if attempt.prober_fault in _BROWSER_FAULTS:
                tables.value(of_ourselves.BROWSER_CRASHES).at().add()
    for what in {truncation.what for truncation in run.evidence.truncated}:
        tables.value(of_ourselves.TRUNCATIONS).at(what).add()
