"""Tells people of failures without an Alertmanager: when a check begins to fail, and when that is over."""
