"""Dashboards for Grafana, the generator that writes them, and the files that load them."""

from __future__ import annotations
