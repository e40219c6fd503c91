"""Every metric family that is exposed; ``docs/metrics.md`` explains them, and a committed list holds them still."""

from __future__ import annotations

from monitor.publishing import of_checks, of_ourselves, of_surroundings
from monitor.publishing.series import Family

OF_CHECKS: tuple[Family, ...] = (*of_checks.CORE, *of_checks.MORE, *of_checks.MOST)
FAMILIES: tuple[Family, ...] = (*OF_CHECKS, *of_surroundings.FAMILIES, *of_ourselves.FAMILIES)
