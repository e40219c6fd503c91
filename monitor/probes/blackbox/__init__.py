"""Probes on request, in the manner of the blackbox exporter: its modules, its numbers, its verdicts."""
