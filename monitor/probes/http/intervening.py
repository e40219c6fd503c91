"""What an experiment does to a request over HTTP: refuse it, answer it in the server's place, or hold it up."""

from __future__ import annotations

import asyncio
import time

from monitor.domain.failure import Failure, Phase
from monitor.probes.http.failures import Fault
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Outgoing
from monitor.probes.interventions import Asked, Give, Hold, Interventions, Refuse

_RESOURCE = "http"


async def intervene(
    interventions: Interventions, outgoing: Outgoing, observation: Observation, deadline: float
) -> bool:
    """Say whether the request was answered by us; one that was only held up goes on from here.

    Raises Fault where it is blocked, and where it is held up until its time is over.
    """
    asked = Asked(
        method=outgoing.method,
        url=outgoing.url,
        resource=_RESOURCE,
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in outgoing.headers},
    )
    verdict = interventions.verdict(asked)
    if verdict is None:
        return False
    observation.intervention = True
    match verdict:
        case Refuse():
            raise Fault(Failure.BLOCKED_BY_INTERVENTION, f"{outgoing.origin.host} is blocked in this experiment")
        case Hold(seconds=seconds):
            await _hold(seconds, observation, deadline)
            return False
        case Give():
            _give(verdict, outgoing, observation)
            return True


async def _hold(seconds: float, observation: Observation, deadline: float) -> None:
    left = deadline - time.monotonic()
    await asyncio.sleep(max(0.0, min(seconds, left)))
    now = time.monotonic()
    if seconds >= left:
        # As a server that takes its time: the request is on its way, and nothing comes back.
        observation.enter(Phase.WAIT, observation.started)
        raise Fault(Failure.HTTP_RESPONSE_TIMED_OUT, "it was held up in this experiment until its time was over")
    observation.enter(Phase.RESOLVE, now)


def _give(given: Give, outgoing: Outgoing, observation: Observation) -> None:
    body = b"" if outgoing.method == "HEAD" else given.body
    most = observation.most_bytes
    observation.status = given.status
    observation.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.headers]
    observation.body_received = len(body)
    observation.truncated = most is not None and len(body) > most
    observation.body = body if most is None else body[:most]
    observation.ended = time.monotonic()
