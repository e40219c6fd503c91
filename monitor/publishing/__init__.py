"""Who is told: metrics and the run log."""
