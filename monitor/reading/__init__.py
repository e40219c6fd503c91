"""Reading YAML with the place of every value, and problems as values: below configuration and journeys, which share it."""

from __future__ import annotations
