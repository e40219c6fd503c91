"""How sure a figure is: Wilson's interval of a share, and the bootstrap over scenarios."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_Z = 1.959964
_RESAMPLES = 500


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """Return the 95 % interval of a share; 0 to 1 where nothing was tried."""
    if trials <= 0:
        return 0.0, 1.0
    share = hits / trials
    spread = _Z * _Z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(
    groups: Sequence[Sequence[T]], figure: Callable[[Sequence[T]], float | None], *, seed: int = 1
) -> tuple[float, float] | None:
    """Return the 95 % interval of a figure over groups drawn anew: runs of one scenario are not independent."""
    if not groups:
        return None
    chance = random.Random(seed)
    values = []
    for _ in range(_RESAMPLES):
        drawn = [one for group in chance.choices(groups, k=len(groups)) for one in group]
        value = figure(drawn)
        if value is not None:
            values.append(value)
    if not values:
        return None
    return quantile(values, 0.025), quantile(values, 0.975)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile by the nearest rank. Raises ValueError for no values."""
    if not values:
        message = "no values have no quantile"
        raise ValueError(message)
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
