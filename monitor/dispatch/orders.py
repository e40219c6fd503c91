"""Orders on their way to a worker: what is the same in every run of a check travels once."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.dispatch.messages import Call, Kind, Order, Terms
from monitor.domain.assignment import Assignment
from monitor.execution.wire import Codec


class OutgoingOrders:
    """Turns orders into frames."""

    def __init__(self, codec: Codec, *, remembered: bool) -> None:
        """Send the terms of a check once where the worker remembers them, else with each order."""
        self._codec = codec
        self._remembered = remembered
        self._sent: dict[str, Terms] = {}

    def frames(self, order: Order) -> Iterator[tuple[Kind, bytes]]:
        """Yield the frames of an order, to be sent one after the other."""
        assignment = order.assignment
        name = assignment.check.name
        if not self._remembered or not _hold(self._sent.get(name), order):
            terms = Terms(
                check=assignment.check,
                location=assignment.location,
                first_party=assignment.first_party,
                source=order.source,
            )
            self._sent[name] = terms
            yield Kind.TERMS, self._codec.encode(terms)
        call = Call(
            name,
            assignment.run_id,
            assignment.scheduled_at,
            assignment.not_after,
            assignment.attempt_limit,
            assignment.artifact_directory,
            assignment.interventions,
            assignment.traceparent,
            assignment.until,
            assignment.archive_to,
        )
        yield Kind.ORDER, self._codec.encode(call)


class IncomingOrders:
    """Turns frames back into orders."""

    def __init__(self, codec: Codec, *, remembered: bool) -> None:
        """Keep the terms of checks, or, where code of journeys runs beside them, no longer than for one order."""
        self._codec = codec
        self._remembered = remembered
        self._terms: dict[str, Terms] = {}

    def learn(self, value: memoryview) -> None:
        """Take in the terms of a check. Raises WireError."""
        terms = self._codec.decode(value, Terms)
        self._terms[terms.check.name] = terms

    def take(self, value: memoryview) -> Order:
        """Return an order. Raises WireError."""
        call = self._codec.decode(value, Call)
        terms = self._terms[call.check] if self._remembered else self._terms.pop(call.check)
        return Order(
            assignment=Assignment(
                run_id=call.run_id,
                check=terms.check,
                location=terms.location,
                scheduled_at=call.scheduled_at,
                not_after=call.not_after,
                attempt_limit=call.attempt_limit,
                artifact_directory=call.artifact_directory,
                first_party=terms.first_party,
                interventions=call.interventions,
                traceparent=call.traceparent,
                until=call.until,
                archive_to=call.archive_to,
            ),
            source=terms.source,
        )


def _hold(terms: Terms | None, order: Order) -> bool:
    """Say whether these are still the terms; a check that was read anew is another, whatever it says."""
    assignment = order.assignment
    return (
        terms is not None
        and terms.check is assignment.check
        and terms.location == assignment.location
        and terms.first_party == assignment.first_party
        and terms.source == order.source
    )
