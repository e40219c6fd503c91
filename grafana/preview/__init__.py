"""Draws the committed dashboards from a real Prometheus, so that a person can look at them; a preview, not Grafana."""
