"""The generator of Faultline's dashboards: ``python -m grafana.src`` writes them to ``grafana/dashboards``."""

from __future__ import annotations
