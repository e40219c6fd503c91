"""How many runs may be under way against one target at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from monitor.domain.check import Target


@dataclass(slots=True)
class _Gate:
    inside: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class TargetGates:
    """One gate for each target, first come first served; a target that nobody asks for leaves nothing behind."""

    def __init__(self) -> None:
        """Begin with no target."""
        self._gates: dict[str, _Gate] = {}

    async def enter(self, target: Target, *, patience: float) -> bool:
        """Wait up to ``patience`` seconds to be let in, and say whether we were; whoever is calls :meth:`leave`."""
        gate = self._gates.get(target.name)
        if gate is None:
            gate = self._gates[target.name] = _Gate()
        if gate.inside < target.concurrency:
            gate.inside += 1
            return True
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gate.waiting.append(turn)
        try:
            async with asyncio.timeout(patience):
                await asyncio.shield(turn)
        except TimeoutError:
            return turn.done() or _give_up(gate, turn)
        except asyncio.CancelledError:
            if turn.done():
                self.leave(target)
            else:
                _give_up(gate, turn)
            raise
        return True

    def leave(self, target: Target) -> None:
        """Hand the place to whoever has waited longest."""
        gate = self._gates[target.name]
        if gate.waiting:
            gate.waiting.popleft().set_result(None)
            return
        gate.inside -= 1
        if gate.inside == 0:
            del self._gates[target.name]

    def waiting(self) -> int:
        """Return how many runs wait for their target."""
        return sum(len(gate.waiting) for gate in self._gates.values())


def _give_up(gate: _Gate, turn: asyncio.Future[None]) -> bool:
    gate.waiting.remove(turn)
    return False
